//! For those who operate the service: is it up, can it work?

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use optlab_api_types::Health;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::AppState;
use super::error::ApiError;
use crate::store::{Store, StoreError};

/// Minimum interval between write checks, for all requests together.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// How long other writes may keep the check waiting before the database counts as failing.
const LONGEST_WRITE: Duration = Duration::from_secs(300);

/// Paths that are answered even on spare connections.
pub(super) const PATHS: [&str; 2] = ["/healthz", "/readyz"];

fn ok() -> Json<Health> {
    Json(Health { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    ok()
}

/// The write checks of `/readyz`.
pub(super) struct WriteChecks(Mutex<Checked>);

struct Checked {
    /// The last check, whose outcome counts for [`TRY_EVERY`].
    last: Option<Instant>,
    /// When a write last succeeded; at first, the start of the server.
    succeeded: Instant,
}

impl Default for WriteChecks {
    fn default() -> Self {
        Self(Mutex::new(Checked { last: None, succeeded: Instant::now() }))
    }
}

impl WriteChecks {
    /// Checks again if the last check is too old. Concurrent requests wait for a check in progress. A long write, such as
    /// the end of an import into SQLite, keeps others waiting although nothing is wrong.
    async fn renew(&self, store: &Store) -> Result<(), StoreError> {
        let mut checked = self.0.lock().await;
        if checked.last.is_some_and(|last| last.elapsed() < TRY_EVERY) {
            return Ok(());
        }
        match store.try_to_write().await {
            Ok(()) => checked.succeeded = Instant::now(),
            Err(StoreError::Busy) if checked.succeeded.elapsed() < LONGEST_WRITE => {}
            Err(error) => return Err(error),
        }
        checked.last = Some(Instant::now());
        Ok(())
    }
}

/// The process answers, and its database can be read and written: a write is tried, at most once a second. While other
/// writes keep it waiting, the database counts as writable for five minutes.
#[utoipa::path(get, path = "/readyz", tag = "operations",
    responses((status = 200, body = Health), (status = 503), (status = 507)))]
pub(super) async fn readyz(State(state): State<AppState>) -> Result<Json<Health>, ApiError> {
    state.store.ping().await?;
    state.write_checks.renew(&state.store).await?;
    Ok(ok())
}
