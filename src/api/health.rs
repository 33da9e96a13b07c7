//! Health checks for operators.

use axum::Json;
use axum::extract::State;
use optlab_api_types::Health;

use super::error::ApiError;
use super::state::AppState;

/// Paths that are answered even on spare connections.
pub(super) const PATHS: [&str; 2] = ["/healthz", "/readyz"];

fn ok() -> Json<Health> {
    Json(Health { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// Succeeds if the process answers.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    ok()
}

/// Succeeds if the database can be read and written. A write is tried at most once per second. While other writes keep
/// it waiting, the database counts as writable for five minutes.
#[utoipa::path(get, path = "/readyz", tag = "operations",
    responses((status = 200, body = Health), (status = 503), (status = 507)))]
pub(super) async fn readyz(State(state): State<AppState>) -> Result<Json<Health>, ApiError> {
    state.store.ping().await?;
    state.write_checks.renew(&state.store).await.map_err(|error| ApiError::from(&*error))?;
    Ok(ok())
}
