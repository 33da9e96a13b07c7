//! The embedded page: whatever `web/` was built to when this program was compiled.

use axum::http::{Uri, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::Embed;

use super::error::ApiError;

#[derive(Embed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Built;

const NOT_BUILT: &str = include_str!("not_built.html");

/// The page itself; it finds out from the address what to show.
pub(super) async fn page() -> Response {
    match Built::get("index.html") {
        Some(index) => {
            // Inside a page of another site, a reader could be led to press its buttons.
            let headers = [(header::CACHE_CONTROL, "no-cache"), (header::X_FRAME_OPTIONS, "DENY")];
            (headers, Html(index.data.into_owned())).into_response()
        }
        None => Html(NOT_BUILT).into_response(),
    }
}

/// Scripts and styles; their names change with their content.
pub(super) async fn asset(uri: Uri) -> Result<Response, ApiError> {
    let path = uri.path().trim_start_matches('/');
    let file = Built::get(path).ok_or_else(|| ApiError::not_found(format!("there is no {}", uri.path())))?;
    let kind = mime_guess::from_path(path).first_or_octet_stream().to_string();
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
    ];
    Ok((headers, file.data.into_owned()).into_response())
}

/// Whether the page is part of this program.
pub fn has_dashboard() -> bool {
    Built::get("index.html").is_some()
}
