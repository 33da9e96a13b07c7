//! `/workers`: workers with their slots and running jobs.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use optlab_api_types::{List, OfferedDevice, Worker, WorkerState};
use optlab_domain::WorkerId;
use optlab_domain::time::rfc3339;

use super::error::ApiError;
use super::extract::Path;
use super::state::AppState;
use crate::store::{self, Store, StoreError};

/// Age of the last heartbeat above which a worker is left out of the list.
pub(super) const SHOWN_FOR_MS: i64 = 24 * 3600 * 1000;

impl From<store::OfferedDevice> for OfferedDevice {
    fn from(offered: store::OfferedDevice) -> Self {
        let store::OfferedDevice { device, name, slots, memory, .. } = offered;
        let memory_bytes = memory.map(|memory| memory.total_bytes);
        let memory_used_bytes = memory.map(|memory| memory.used_bytes);
        Self { device, name, slots, memory_bytes, memory_used_bytes }
    }
}

fn view(worker: store::Worker, now_ms: i64) -> Worker {
    let state = match () {
        () if worker.is_gone(now_ms) => WorkerState::Gone,
        () if worker.draining => WorkerState::Draining,
        () => WorkerState::Active,
    };
    Worker {
        id: worker.id,
        name: worker.name,
        state,
        slots: worker.devices.iter().map(|device| device.slots).sum(),
        devices: worker.devices.0.into_iter().map(OfferedDevice::from).collect(),
        jobs: worker.jobs.0,
        trouble: worker.trouble,
        engine: worker.origin.engine,
        engine_job: worker.origin.engine_job,
        node: worker.origin.node,
        pool: worker.origin.pool,
        until: worker.origin.until_ms.map(rfc3339),
        preempted: worker.preempted,
        started_at: rfc3339(worker.started_ms),
        last_seen_at: rfc3339(worker.last_seen_ms),
    }
}

/// The workers of the last day, newest first.
#[utoipa::path(get, path = "/api/v1/workers", tag = "workers", responses((status = 200, body = List<Worker>)))]
pub(super) async fn list(State(state): State<AppState>) -> Result<Json<List<Worker>>, ApiError> {
    let now = state.store.time_ms().await?;
    let workers = state.store.workers(now - SHOWN_FOR_MS).await?;
    Ok(Json(List::whole(workers.into_iter().map(|worker| view(worker, now)).collect())))
}

/// Drains a worker: it claims no more jobs, hands its jobs back or finishes them, as its setting `drain` says, and stops.
#[utoipa::path(post, path = "/api/v1/workers/{id}/drain", tag = "workers",
    responses((status = 204)))]
pub(super) async fn drain(
    State(state): State<AppState>,
    Path(id): Path<WorkerId>,
) -> Result<StatusCode, ApiError> {
    state.store.drain_worker(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Workers with a recent heartbeat that have not signed off.
pub(super) async fn active(store: &Store, now_ms: i64) -> Result<Vec<store::Worker>, StoreError> {
    let workers = store.workers(now_ms - store::Worker::GONE_AFTER_MS).await?;
    Ok(workers.into_iter().filter(|worker| !worker.is_gone(now_ms)).collect())
}
