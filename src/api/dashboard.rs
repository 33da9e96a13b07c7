//! The embedded page: the build of `web/` at the time when this program was compiled.

use axum::Extension;
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::Embed;

use super::error::ApiError;

#[derive(Embed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Built;

const NOT_BUILT: &str = include_str!("not_built.html");

/// The tag in both pages that the server replaces with the relative base path.
const BASE: &str = "<base href=\"/\" />";

/// The page, which decides by the address what to show.
pub(super) async fn page(uri: Uri) -> Response {
    let index = Built::get("index.html");
    let page = index.as_ref().map_or(NOT_BUILT.into(), |index| String::from_utf8_lossy(&index.data));
    let page = page.replacen(BASE, &format!("<base href=\"{}\" />", home(uri.path())), 1);
    ([(header::CACHE_CONTROL, "no-cache")], Html(page)).into_response()
}

/// Marks a response with an error status whose body is the page.
#[derive(Clone, Copy)]
pub(super) struct IsPage;

/// The page at an address that it does not know.
pub(super) async fn unknown_page(uri: Uri) -> Response {
    (StatusCode::NOT_FOUND, Extension(IsPage), page(uri).await).into_response()
}

/// The relative path from `path` to the base path. It is relative because a proxy may strip the prefix, so that only
/// the browser knows it.
fn home(path: &str) -> String {
    match path.matches('/').count() {
        0 | 1 => "./".to_owned(),
        slashes => "../".repeat(slashes - 1),
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
