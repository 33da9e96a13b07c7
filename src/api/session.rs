//! `/session`: how a browser brings a token, in a cookie that scripts cannot read and other sites cannot send.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::AppState;
use super::error::ApiError;
use super::extract::Document;
use crate::store::{Scope, Secret};

const COOKIE: &str = "optlab_session";
/// A browser forgets the token after so many seconds; the server, when it is revoked.
const REMEMBERED_FOR: u32 = 30 * 24 * 3600;

/// What the one who asks may do.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionView {
    /// `read` or `write`.
    scope: &'static str,
    /// Whether this took a token.
    signed_in: bool,
}

/// What a request with this token may do.
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = SessionView), (status = 401, body = ApiError)))]
pub(super) async fn get(
    State(state): State<AppState>,
    token: Option<Extension<Secret>>,
) -> Result<Json<SessionView>, ApiError> {
    let Some(Extension(secret)) = token else {
        return Ok(Json(SessionView { scope: Scope::Write.as_str(), signed_in: false }));
    };
    let scope = state.access.scope_of(&secret).await?.ok_or_else(ApiError::unknown_token)?;
    Ok(Json(SessionView { scope: scope.as_str(), signed_in: true }))
}

/// Signs a browser in: `{"token": ...}` becomes a cookie.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = Object,
    responses((status = 204), (status = 401, body = ApiError)))]
pub(super) async fn sign_in(
    State(state): State<AppState>,
    headers: HeaderMap,
    document: Document,
) -> Result<impl IntoResponse, ApiError> {
    let token = document.value.get("token").and_then(Value::as_str);
    let token = token.ok_or_else(|| ApiError::malformed("the body must be {\"token\": TOKEN}"))?;
    let secret = Secret::parse(token.trim()).ok_or_else(ApiError::unknown_token)?;
    state.access.scope_of(&secret).await?.ok_or_else(ApiError::unknown_token)?;
    Ok((StatusCode::NO_CONTENT, set_cookie(&headers, secret.reveal(), REMEMBERED_FOR)))
}

/// Has the browser forget the token.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204)))]
pub(super) async fn sign_out(headers: HeaderMap) -> impl IntoResponse {
    (StatusCode::NO_CONTENT, set_cookie(&headers, "", 0))
}

fn set_cookie(request: &HeaderMap, value: &str, seconds: u32) -> [(header::HeaderName, String); 1] {
    // A proxy in front says how the browser came.
    let by_https = request.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    let secure = if by_https { "; Secure" } else { "" };
    let rest = format!("Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    [(header::SET_COOKIE, format!("{COOKIE}={value}; {rest}"))]
}

/// The token that the browser kept.
pub(super) fn cookie(headers: &HeaderMap) -> Option<Secret> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut cookies =
        lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    let (_, value) = cookies.find(|(name, _)| *name == COOKIE)?;
    Secret::parse(value)
}
