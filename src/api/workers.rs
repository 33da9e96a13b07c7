//! `/workers`: who offers slots, and what runs where.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::AppState;
use super::error::ApiError;
use super::extract::Path;
use super::views::{List, rfc3339};
use crate::store::{OfferedDevice, Store, StoreError, Worker};

/// Workers that were not heard of for so long are left out of the list.
const SHOWN_FOR_MS: i64 = 24 * 3600 * 1000;

/// A process that claims jobs.
#[derive(Serialize, ToSchema)]
pub(super) struct WorkerView {
    id: i64,
    /// Host and process.
    name: String,
    /// `active`, `draining` (claims nothing more) or `gone`.
    state: &'static str,
    devices: Vec<DeviceView>,
    /// Of all its devices.
    slots: usize,
    /// Ids of what it runs now.
    jobs: Vec<i64>,
    /// Why it, or one of its slots, claims nothing now: its machine has failed its jobs, say.
    trouble: Option<String>,
    started_at: String,
    last_seen_at: String,
}

/// A device on which a worker runs jobs.
#[derive(Serialize, ToSchema)]
pub(super) struct DeviceView {
    /// `cpu`, `cuda:0`, ...
    device: String,
    /// What its maker calls it; null where libtorch does not find it.
    name: Option<String>,
    /// Jobs at a time.
    slots: usize,
    /// Of the GPU or, for `cpu`, of the machine; null where nobody tells.
    memory_bytes: Option<u64>,
    /// By whatever program, a few seconds ago.
    memory_used_bytes: Option<u64>,
}

impl From<OfferedDevice> for DeviceView {
    fn from(offered: OfferedDevice) -> Self {
        let OfferedDevice { device, name, slots, memory, .. } = offered;
        let memory_bytes = memory.map(|memory| memory.total_bytes);
        let memory_used_bytes = memory.map(|memory| memory.used_bytes);
        Self { device, name, slots, memory_bytes, memory_used_bytes }
    }
}

impl WorkerView {
    fn new(worker: Worker, now_ms: i64) -> Self {
        let state = match () {
            () if worker.is_gone(now_ms) => "gone",
            () if worker.draining => "draining",
            () => "active",
        };
        Self {
            id: worker.id,
            name: worker.name,
            state,
            slots: worker.devices.iter().map(|device| device.slots).sum(),
            devices: worker.devices.into_iter().map(DeviceView::from).collect(),
            jobs: worker.jobs,
            trouble: worker.trouble,
            started_at: rfc3339(worker.started_ms),
            last_seen_at: rfc3339(worker.last_seen_ms),
        }
    }
}

/// The workers of the last day, newest first.
#[utoipa::path(get, path = "/api/v1/workers", tag = "workers", responses((status = 200, body = List<WorkerView>)))]
pub(super) async fn list(State(state): State<AppState>) -> Result<Json<List<WorkerView>>, ApiError> {
    let now = state.clock.now_ms();
    let workers = state.store.workers(now - SHOWN_FOR_MS).await?;
    let items = workers.into_iter().map(|worker| WorkerView::new(worker, now)).collect();
    Ok(Json(List { items, next_cursor: None }))
}

/// Asks a worker to claim nothing more and to stop: its jobs go on elsewhere.
#[utoipa::path(post, path = "/api/v1/workers/{id}/drain", tag = "workers",
    responses((status = 204)))]
pub(super) async fn drain(
    State(state): State<AppState>,
    Path(id): Path<i64>,
) -> Result<StatusCode, ApiError> {
    state.store.drain_worker(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Those that were heard of lately and have not said goodbye.
pub(super) async fn active(store: &Store, now_ms: i64) -> Result<Vec<Worker>, StoreError> {
    let workers = store.workers(now_ms - Worker::GONE_AFTER_MS).await?;
    Ok(workers.into_iter().filter(|worker| !worker.is_gone(now_ms)).collect())
}
