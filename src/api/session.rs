//! `/session`: the sign-in of a browser, which keeps its token in a cookie that scripts cannot read and other sites
//! cannot send.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use optlab_api_types::{Session, SignIn};
use optlab_domain::Scope;
use serde::Deserialize;
use utoipa::IntoParams;

use super::credentials::COOKIE;
use super::error::ApiError;
use super::extract::{Document, Query};
use super::state::AppState;
use crate::config::{BasePath, BasePathError};
use crate::store::Secret;

/// Lifetime of the cookie, in seconds. The server accepts the token until it is revoked.
const REMEMBERED_FOR: u32 = 30 * 24 * 3600;

/// The scope of this request's token.
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = Session)))]
pub(super) async fn get(
    State(state): State<AppState>,
    token: Option<Extension<Secret>>,
) -> Result<Json<Session>, ApiError> {
    let Some(Extension(secret)) = token else {
        return Ok(Json(Session { scope: Scope::Write, signed_in: false }));
    };
    let scope = state.access.scope_of(&secret).await?.ok_or_else(ApiError::unknown_token)?;
    Ok(Json(Session { scope, signed_in: true }))
}

/// Signs a browser in: `{"token": ..., "path": ...}` becomes a cookie for this folder of the host; without
/// `path`, for the server's base path.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = SignIn,
    responses((status = 204, headers(("Set-Cookie" = String))), (status = 401), (status = 503)))]
pub(super) async fn sign_in(
    State(state): State<AppState>,
    headers: HeaderMap,
    document: Document,
) -> Result<impl IntoResponse, ApiError> {
    let sign_in = SignIn::deserialize(&document.value)
        .map_err(|_| ApiError::malformed("the body must be {\"token\": TOKEN}"))?;
    let secret = Secret::parse(sign_in.token.trim()).ok_or_else(ApiError::unknown_token)?;
    let folder = folder(sign_in.path.as_deref(), &state.settings.base_path)?;
    state.access.scope_of(&secret).await?.ok_or_else(ApiError::unknown_token)?;
    Ok((StatusCode::NO_CONTENT, set_cookie(&headers, &folder, secret.reveal(), REMEMBERED_FOR)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SignOutParams {
    /// The path that was given at the sign-in; default: the server's base path.
    #[param(pattern = "^[A-Za-z0-9._~%@+=:,/-]*$")]
    path: Option<String>,
}

/// Signs the browser out: it deletes its cookie.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", params(SignOutParams),
    responses((status = 204, headers(("Set-Cookie" = String))), (status = 422)))]
pub(super) async fn sign_out(
    State(state): State<AppState>,
    Query(params): Query<SignOutParams>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    let folder = folder(params.path.as_deref(), &state.settings.base_path)?;
    Ok((StatusCode::NO_CONTENT, set_cookie(&headers, &folder, "", 0)))
}

/// The base path of the page, to which the cookie is limited because other paths of the host may belong to other
/// people.
fn folder(path: Option<&str>, default: &BasePath) -> Result<BasePath, ApiError> {
    let Some(path) = path else { return Ok(default.clone()) };
    path.parse().map_err(|why: BasePathError| ApiError::invalid_parameter(format!("`path` {why}")))
}

fn set_cookie(
    request: &HeaderMap,
    folder: &BasePath,
    value: &str,
    seconds: u32,
) -> [(header::HeaderName, String); 1] {
    // Each proxy appends the scheme by which it was reached, so the first is the browser's. Forging it affects only the
    // client's own cookie.
    let schemes = request.get("x-forwarded-proto").and_then(|schemes| schemes.to_str().ok());
    let scheme = schemes.and_then(|schemes| schemes.split(',').next()).unwrap_or_default().trim();
    let secure = if scheme.eq_ignore_ascii_case("https") { "; Secure" } else { "" };
    let path = if folder.is_root() { "/".to_owned() } else { folder.to_string() };
    let rest = format!("Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    [(header::SET_COOKIE, format!("{COOKIE}={value}; {rest}"))]
}
