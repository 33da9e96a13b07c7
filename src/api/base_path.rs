//! Requests under the path prefix of a proxy.

use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use axum::http::header;
use axum::http::uri::PathAndQuery;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tower::ServiceExt;

use crate::config::BasePath;

/// Strips the prefix, unless a proxy already has, and passes the request to the router, which does not know the prefix.
pub(super) async fn answer(base_path: BasePath, router: Router, mut request: Request) -> Response {
    let below = request.uri().path().strip_prefix(base_path.as_str());
    if let Some(rest) = below.filter(|_| !base_path.is_root()) {
        if rest.is_empty() {
            return Redirect::permanent(&format!("{base_path}/")).into_response();
        }
        if rest.starts_with('/') {
            *request.uri_mut() = without(&base_path, request.uri());
        }
    }
    router.oneshot(request).await.unwrap_or_else(|never| match never {})
}

/// The URI without the prefix, with which it begins.
fn without(base_path: &BasePath, uri: &Uri) -> Uri {
    let mut parts = uri.clone().into_parts();
    let prefix = base_path.as_str().len();
    let shorter = parts.path_and_query.as_ref().map(|path| path.as_str()[prefix..].parse::<PathAndQuery>());
    parts.path_and_query = shorter.and_then(Result::ok);
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
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
