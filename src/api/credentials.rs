//! The token of a request.

use axum::http::{HeaderMap, header};

use crate::store::Secret;

/// Name of the cookie in which a browser keeps its token.
pub(super) const COOKIE: &str = "optlab_session";

/// The token in the header of a program, or else in the cookie of a browser.
pub(super) fn token_of(headers: &HeaderMap) -> Option<Secret> {
    let Some(authorization) = headers.get(header::AUTHORIZATION) else { return of_cookie(headers) };
    let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") { Secret::parse(token.trim()) } else { None }
}

fn of_cookie(headers: &HeaderMap) -> Option<Secret> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut cookies =
        lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    let (_, value) = cookies.find(|(name, _)| *name == COOKIE)?;
    Secret::parse(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_takes_precedence_over_a_cookie() {
        let (one, two) = (Secret::draw().unwrap(), Secret::draw().unwrap());
        let mut headers = HeaderMap::new();
        assert!(token_of(&headers).is_none());
        let cookie = format!("theme=dark; optlab_session={}", one.reveal());
        headers.insert(header::COOKIE, cookie.parse().unwrap());
        assert_eq!(token_of(&headers).unwrap().sha256(), one.sha256());
        let bearer = format!("bearer {}", two.reveal());
        headers.insert(header::AUTHORIZATION, bearer.parse().unwrap());
        assert_eq!(token_of(&headers).unwrap().sha256(), two.sha256());
        headers.insert(header::AUTHORIZATION, "Basic eDp5".parse().unwrap());
        assert!(token_of(&headers).is_none());
    }
}
