//! For those who operate the service: is it up, can it work?

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::AppState;
use super::error::ApiError;
use crate::store::{Store, StoreError};

/// Minimum interval between write checks, for all requests together.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// Paths that are answered even on spare connections.
pub(super) const PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// A sign of life.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    status: &'static str,
    version: &'static str,
}

const OK: Health = Health { status: "ok", version: env!("CARGO_PKG_VERSION") };

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    Json(OK)
}

/// Time of the last successful write check of `/readyz`.
#[derive(Default)]
pub(super) struct LastWrite(Mutex<Option<Instant>>);

impl LastWrite {
    /// Checks again if the last success is too old. Concurrent requests wait for a check in progress.
    async fn renew(&self, store: &dyn Store) -> Result<(), StoreError> {
        let mut last = self.0.lock().await;
        if last.is_none_or(|last| last.elapsed() >= TRY_EVERY) {
            store.try_to_write().await?;
            *last = Some(Instant::now());
        }
        Ok(())
    }
}

/// The process answers, and its database can be read and written: a write is tried, at most once a second.
#[utoipa::path(get, path = "/readyz", tag = "operations",
    responses((status = 200, body = Health), (status = 503), (status = 507)))]
pub(super) async fn readyz(State(state): State<AppState>) -> Result<Json<Health>, ApiError> {
    state.store.ping().await?;
    state.last_write.renew(&*state.store).await?;
    Ok(Json(OK))
}
