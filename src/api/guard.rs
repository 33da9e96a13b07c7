//! What holds for every request and every answer, whatever the route.

use std::any::Any;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;

/// Refuses writes that a page of another site has a browser send.
pub(super) async fn same_origin(request: Request, next: Next) -> Result<Response, ApiError> {
    if is_read(&request) || is_ours(request.headers()) {
        Ok(next.run(request).await)
    } else {
        Err(ApiError::foreign_origin())
    }
}

/// Browsers name the page's origin with every write; programs send none.
fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, origin)| origin == host),
        (Some(_), None) => false,
        (None, _) => true,
    }
}

/// A write may be refused before its body was read. The connection is then of no use for the next request, and whoever
/// keeps it open is told so.
pub(super) async fn close_after_refusal(request: Request, next: Next) -> Response {
    let writes = !is_read(&request);
    let mut response = next.run(request).await;
    if writes && response.status().is_client_error() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn is_read(request: &Request) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method())
}

/// Answers of libraries (an unknown page of the documentation, say) become problems too.
pub(super) async fn problems_only(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_problem =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == ApiError::CONTENT_TYPE);
    if is_error && !is_problem { ApiError::bare(status).into_response() } else { response }
}

/// A bug: logged with what it said.
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let said =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(said, "a handler panicked");
    ApiError::internal().into_response()
}
