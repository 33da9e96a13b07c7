//! Database URLs as they may be shown.

use ::url::Url;

/// A database URL without secrets: user, password and parameters are removed, because a parameter may be a password. An
/// `@` after the host means that a password with an unescaped `/`, `?` or `#` was parsed as part of the path; then only
/// the scheme is shown.
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once(':').filter(|(scheme, _)| *scheme != "sqlite") else {
        return url.split_once('?').map_or(url, |(file, _)| file).to_owned();
    };
    let hidden = format!("{scheme}://...");
    let Ok(url) = Url::parse(url) else { return hidden };
    let behind = [url.path(), url.query().unwrap_or_default(), url.fragment().unwrap_or_default()];
    let Some(host) = url.host_str().filter(|_| !behind.concat().contains('@')) else {
        return if rest.contains('@') { hidden } else { format!("{scheme}://{}", url.path()) };
    };
    let user = if url.username().is_empty() && url.password().is_none() { "" } else { "...@" };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{user}{host}{port}{}", url.path())
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn urls_are_redacted() {
        for (url, shown) in [
            ("sqlite:optlab.db", "sqlite:optlab.db"),
            ("sqlite:///data/optlab.db?mode=rwc", "sqlite:///data/optlab.db"),
            ("postgres://me:p@ss@host:5432/optlab", "postgres://...@host:5432/optlab"),
            ("postgres://host/optlab?password=hunter2", "postgres://host/optlab"),
            ("postgres:///optlab?host=/run/postgresql&password=hunter2", "postgres:///optlab"),
            ("postgres://me:a@b@c@host/optlab", "postgres://...@host/optlab"),
            // A password whose `@`, `/`, `?` or `#` is not written as %40, %2F, %3F or %23.
            ("postgres://me:pa/ss@host/optlab", "postgres://..."),
            ("postgres://me:12/34@host/optlab", "postgres://..."),
            ("postgres://me:12?34@host/optlab", "postgres://..."),
            ("postgres://me:12#34@host/optlab", "postgres://..."),
            ("postgres://me:pa?ss@host/optlab", "postgres://..."),
            ("postgres://me:pa#ss@host/optlab", "postgres://..."),
            ("postgres://host/optlab?password=hunt@er2", "postgres://..."),
            ("postgres:me:hunter2@host", "postgres://..."),
            ("postgres://me:hunter2", "postgres://..."),
            ("mysql://me:hunter2@host/optlab", "mysql://...@host/optlab"),
            ("sqlite:/data/@home/optlab.db?mode=rwc", "sqlite:/data/@home/optlab.db"),
        ] {
            assert_eq!(redacted(url), shown);
        }
    }
}
