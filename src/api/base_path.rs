//! The path prefix under which a proxy serves optlab.

use std::fmt;
use std::str::FromStr;

use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use axum::http::header;
use axum::http::uri::PathAndQuery;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tower::ServiceExt;

/// A prefix such as `/optlab`; empty if the server has the whole host.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct BasePath(String);

impl FromStr for BasePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.trim_matches('/');
        let is_plain = |segment: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~%@+=:,".contains(c);
            !segment.is_empty() && segment.chars().all(allowed) && ![".", ".."].contains(&segment)
        };
        match path {
            "" => Ok(Self::default()),
            path if path.split('/').all(is_plain) => Ok(Self(format!("/{path}"))),
            _ => Err(format!("must be a folder like /optlab or /lab/optlab, is `{text}`")),
        }
    }
}

impl TryFrom<String> for BasePath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl BasePath {
    /// Whether the prefix is empty.
    pub(super) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Strips the prefix, unless a proxy already has, and passes the request to the router, which does not know it.
    pub(super) async fn answer(self, router: Router, mut request: Request) -> Response {
        if let Some(rest) = request.uri().path().strip_prefix(&self.0).filter(|_| !self.is_root()) {
            if rest.is_empty() {
                return Redirect::permanent(&format!("{self}/")).into_response();
            }
            if rest.starts_with('/') {
                *request.uri_mut() = self.within(request.uri());
            }
        }
        router.oneshot(request).await.unwrap_or_else(|never| match never {})
    }

    /// The URI, which begins with the prefix, without it.
    fn within(&self, uri: &Uri) -> Uri {
        let mut parts = uri.clone().into_parts();
        let shorter =
            parts.path_and_query.as_ref().map(|path| path.as_str()[self.0.len()..].parse::<PathAndQuery>());
        parts.path_and_query = shorter.and_then(Result::ok);
        Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
    }
}

/// Makes redirects that only add a slash relative, so that they stay correct behind a proxy that strips a prefix.
pub(super) async fn stay_in_folder(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let last = path.rsplit('/').next().unwrap_or_default();
    if response.headers().get(header::LOCATION).is_some_and(|location| *location == format!("{path}/"))
        && let Ok(relative) = format!("{last}/").parse()
    {
        response.headers_mut().insert(header::LOCATION, relative);
    }
    response
}
