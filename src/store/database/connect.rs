//! Connecting to PostgreSQL: the URL, TLS and connection poolers.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{Connection, Row};
use tokio::time::timeout;
use url::Url;

use crate::store::StoreError;
use crate::store::error::said;

/// Time limit for connecting.
const PATIENCE: Duration = Duration::from_secs(5);
/// `invalid_catalog_name`, of the error codes of PostgreSQL (appendix A).
const NO_SUCH_DATABASE: &str = "3D000";

/// URL parameters that sqlx understands. All others are ignored.
const KNOWN: &[&str] = &[
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];
/// The parameters of [`KNOWN`] that name the trusted certificates.
const ROOTS: &[&str] = &["sslrootcert", "ssl-root-cert", "ssl-ca"];

/// Options from the URL, and from the `PG*` variables for what the URL leaves out. The system's certificates are
/// trusted.
pub(in crate::store) fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    optlab_net::use_ring();
    let mut url = Url::parse(url).map_err(|error| sqlx::Error::Configuration(error.into()))?;
    let parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let root =
        parameters.iter().find(|(name, _)| ROOTS.contains(&name.as_str())).map(|(_, file)| file.as_str());
    let is_system = root == Some("system");
    let has_root = root.is_some();
    let is_known = |name: &str| KNOWN.contains(&name) || name.starts_with("options[");
    if !parameters.iter().all(|(name, _)| is_known(name)) {
        // The name is not logged, because it may be part of a password with an unescaped `?`.
        tracing::warn!("ignoring unknown parameters of the database URL; known are {}", KNOWN.join(", "));
    }
    let is_kept = |name: &str| is_known(name) && !(is_system && ROOTS.contains(&name));
    let kept: Vec<&(String, String)> = parameters.iter().filter(|(name, _)| is_kept(name)).collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    let options = PgConnectOptions::from_str(url.as_str())?
        // Poolers reject this parameter, and it affects only the text format.
        .extra_float_digits(None);
    Ok(match options.get_ssl_mode() {
        // As in psql, naming certificates implies checking them.
        PgSslMode::Require if has_root && !is_system => options.ssl_mode(PgSslMode::VerifyCa),
        PgSslMode::Prefer | PgSslMode::Require | PgSslMode::VerifyCa if is_system => {
            options.ssl_mode(PgSslMode::VerifyFull)
        }
        _ => options,
    })
}

/// Checks that the server can be reached, is not behind a transaction pooler, and stores any text. A connection pool
/// would only retry until its timeout and lose the reason.
pub(super) async fn reach(options: &PgConnectOptions) -> Result<(), StoreError> {
    let place = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    match timeout(PATIENCE, try_twice(options)).await {
        Err(_) => {
            let seconds = PATIENCE.as_secs();
            Err(StoreError::Unavailable(format!("no answer from {place} within {seconds} s")))
        }
        Ok(Ok(Pooling::Direct { encoding })) if encoding == "UTF8" => Ok(()),
        Ok(Ok(Pooling::Direct { encoding })) => Err(StoreError::Unavailable(format!(
            "the database at {place} has the encoding {encoding}, which cannot store every text. Make one with \
             `createdb --encoding=UTF8 --template=template0 NAME`"
        ))),
        Ok(Ok(Pooling::Shared)) => Err(StoreError::Unavailable(format!(
            "{place} is a pooler that shares one connection of PostgreSQL between several clients (PgBouncer with \
             pool_mode = transaction, say). optlab prepares statements, listens and holds locks on its connections: \
             give it the address of PostgreSQL itself, or a pool with pool_mode = session"
        ))),
        Ok(Err(error)) => Err(explained(&place, error)),
    }
}

/// How client connections map to connections of the server.
enum Pooling {
    /// One to one.
    Direct {
        /// Encoding of the database.
        encoding: String,
    },
    /// A pooler uses one connection of the server for several clients.
    Shared,
}

async fn try_twice(options: &PgConnectOptions) -> Result<Pooling, sqlx::Error> {
    let mut first = PgConnection::connect_with(options).await?;
    let mut second = PgConnection::connect_with(options).await?;
    let encoding = sqlx::raw_sql("SHOW server_encoding").fetch_one(&mut first).await?.try_get(0)?;
    let mut pooling = Pooling::Direct { encoding };
    // A pooler reuses its most recently returned connection first, unless another client takes it in between.
    for _ in 0..3 {
        if backend(&mut first).await? == backend(&mut second).await? {
            pooling = Pooling::Shared;
        }
    }
    first.close().await?;
    second.close().await?;
    Ok(pooling)
}

/// Id of the server process behind a connection. The simple protocol is used, because a pooler may not support prepared
/// statements.
async fn backend(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::raw_sql("SELECT pg_backend_pid()").fetch_one(connection).await?.try_get(0)
}

fn explained(place: &str, error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default();
    let said = said(&error);
    StoreError::Unavailable(match error {
        // Errors of the TLS handshake occur as either variant.
        sqlx::Error::Tls(_) | sqlx::Error::Io(_) if said.contains("certificate") => format!(
            "{place}: {said}; sslrootcert=FILE in the URL, or SSL_CERT_FILE, names the certificates to trust{}",
            optlab_net::certificate_cure(&said)
        ),
        sqlx::Error::Tls(error) => format!("{place}: {error}"),
        sqlx::Error::Io(error) => format!("{place}: {error}; is PostgreSQL running, and listening there?"),
        sqlx::Error::Database(_) => {
            let cure = if code == NO_SUCH_DATABASE { "; `createdb` makes one" } else { "" };
            format!("PostgreSQL at {place}: {said}{cure}")
        }
        error => return error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_certificates_are_checked() {
        let mode = |parameters: &str| {
            let options = options(&format!("postgres://me@host/optlab{parameters}")).unwrap();
            format!("{:?}", options.get_ssl_mode())
        };
        for (parameters, expected) in [
            ("", "Prefer"),
            ("?sslmode=require", "Require"),
            ("?sslmode=require&sslrootcert=ca.pem", "VerifyCa"),
            ("?sslmode=verify-full&sslrootcert=ca.pem", "VerifyFull"),
            ("?sslmode=require&sslrootcert=system", "VerifyFull"),
            ("?sslmode=disable&sslrootcert=ca.pem", "Disable"),
            ("?sslmode=require&channel_binding=require&connect_timeout=10", "Require"),
        ] {
            assert_eq!(mode(parameters), expected, "{parameters}");
        }
    }
}
