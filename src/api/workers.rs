//! `/workers`: who offers slots, and what runs where.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::AppState;
use super::error::ApiError;
use super::views::{List, rfc3339};
use crate::store::Worker;

/// Workers that were not heard of for so long are left out of the list.
const SHOWN_FOR_MS: i64 = 24 * 3600 * 1000;
/// A worker reports every few seconds; after this much silence it counts as gone.
const GONE_AFTER_MS: i64 = 30_000;

/// A process that claims jobs.
#[derive(Serialize, ToSchema)]
pub(super) struct WorkerView {
    id: i64,
    /// Host and process.
    name: String,
    /// `active` or `gone`.
    state: &'static str,
    /// One device a slot.
    devices: Vec<String>,
    slots: usize,
    /// Ids of what it runs now.
    jobs: Vec<i64>,
    started_at: String,
    last_seen_at: String,
}

impl WorkerView {
    fn new(worker: Worker, now_ms: i64) -> Self {
        let gone = worker.ended_ms.is_some() || now_ms - worker.last_seen_ms > GONE_AFTER_MS;
        Self {
            id: worker.id,
            name: worker.name,
            state: if gone { "gone" } else { "active" },
            slots: worker.devices.len(),
            devices: worker.devices,
            jobs: worker.jobs,
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
