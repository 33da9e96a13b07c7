//! Checks and headers for every request and every answer, independent of the route.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};

use super::connections::Spare;
use super::dashboard::IsPage;
use super::error::ApiError;
use super::health;

/// On a spare connection, answers only health checks.
pub(super) async fn spare(request: Request, next: Next) -> Result<Response, ApiError> {
    let is_spare = request.extensions().get::<Spare>().is_some();
    if is_spare && !health::PATHS.contains(&request.uri().path()) {
        return Err(ApiError::crowded());
    }
    Ok(next.run(request).await)
}

/// Rejects writes that a browser sends for a page of another site.
pub(super) async fn same_origin(request: Request, next: Next) -> Result<Response, ApiError> {
    if !is_read(&request) {
        refuse_foreign(request.headers())?;
    }
    Ok(next.run(request).await)
}

/// Browsers send the page's origin with every write; other programs do not. On https and on this machine, browsers also
/// send `Sec-Fetch-Site`, which compares the origin with the address that they used. `Host`, in contrast, may have been
/// changed by a proxy.
fn refuse_foreign(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let (origin, host) = (text("origin").unwrap_or_default(), text("host").unwrap_or_default());
    let site = text("sec-fetch-site");
    let is_ours = match site {
        Some(site) => ["same-origin", "none"].contains(&site),
        None => {
            !headers.contains_key(header::ORIGIN) || origin.split_once("://").is_some_and(|(_, o)| o == host)
        }
    };
    if is_ours { Ok(()) } else { Err(ApiError::foreign_origin(origin, site, host)) }
}

/// Sets headers that forbid browsers to guess content types, to show a response in a frame of another site
/// (clickjacking) and, unless the handler allows it, to cache the response.
pub(super) async fn browser_rules(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'none'"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Closes the connection after a request that was answered before its body was read, because the rest of the body would
/// precede the next request. `Connection: close` tells the client.
pub(super) async fn close_over_unread_body(request: Request, next: Next) -> Response {
    let is_unread = Arc::new(AtomicBool::new(!request.body().is_end_stream()));
    let seen = is_unread.clone();
    let request = request.map(|body| {
        let end = stream::poll_fn(move |_| {
            seen.store(false, Ordering::Relaxed);
            Poll::Ready(None)
        });
        Body::from_stream(body.into_data_stream().chain(end))
    });
    let mut response = next.run(request).await;
    if is_unread.load(Ordering::Relaxed) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Rejects compressed bodies. They would be parsed without decompression, and the error would not name the cause.
pub(super) async fn plain_body(request: Request, next: Next) -> Result<Response, ApiError> {
    match request.headers().get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => Err(ApiError::encoded()),
        _ => Ok(next.run(request).await),
    }
}

fn is_read(request: &Request) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method())
}

/// Turns errors of libraries, such as an unknown page of the documentation, into problems. The dashboard's page for an
/// unknown address stays as it is.
pub(super) async fn problems_only(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_problem =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == ApiError::CONTENT_TYPE);
    let is_page = response.extensions().get::<IsPage>().is_some();
    if is_error && !is_problem && !is_page { ApiError::bare(status).into_response() } else { response }
}

/// Answers a panic, which is a bug; the log has its message.
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let said =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(said, "a handler panicked");
    ApiError::internal().into_response()
}
