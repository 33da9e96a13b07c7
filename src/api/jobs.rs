//! `/jobs`: list, read, cancel, retry.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::AppState;
use super::error::ApiError;
use super::extract::{Path, Query, bounded};
use super::views::{JobView, List};
use crate::store::{JobFilter, JobState};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParams {
    /// Id of an experiment.
    experiment: Option<i64>,
    /// Name of an arm.
    arm: Option<String>,
    /// `queued`, `running`, `paused`, `succeeded`, `failed` or `cancelled`.
    state: Option<String>,
    /// At most so many, 1 to 1000; default 100.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<i64>,
}

/// Jobs, oldest first.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(ListParams),
    responses((status = 200, body = List<JobView>), (status = 422, body = ApiError)))]
pub(super) async fn list(
    State(state): State<AppState>,
    Query(params): Query<ListParams>,
) -> Result<Json<List<JobView>>, ApiError> {
    let limit = bounded("limit", params.limit, 100, 1..=1000)?;
    let wanted = params.state.as_deref().map(parse_state).transpose()?;
    let filter = JobFilter { experiment: params.experiment, arm: params.arm, state: wanted };
    let page = state.store.jobs(filter, params.cursor.unwrap_or(0), limit).await?;
    let now = state.clock.now_ms();
    let items = page.items.into_iter().map(|job| JobView::new(job, now)).collect();
    Ok(Json(List { items, next_cursor: page.next.map(|id| id.to_string()) }))
}

fn parse_state(word: &str) -> Result<JobState, ApiError> {
    let words = JobState::ALL.map(JobState::as_str).join(", ");
    JobState::parse(word)
        .ok_or_else(|| ApiError::invalid_parameter(format!("`state` must be one of {words}")))
}

/// One job.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs",
    responses((status = 200, body = JobView), (status = 404, body = ApiError)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<i64>,
) -> Result<Json<JobView>, ApiError> {
    let job = state.store.job(id).await?;
    Ok(Json(JobView::new(job, state.clock.now_ms())))
}

/// Cancels a job; one that runs stops after its current step.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/cancel", tag = "jobs",
    responses((status = 200, body = JobView), (status = 404, body = ApiError), (status = 409, body = ApiError)))]
pub(super) async fn cancel(
    State(state): State<AppState>,
    Path(id): Path<i64>,
) -> Result<Json<JobView>, ApiError> {
    state.store.cancel_job(id).await?;
    get(State(state), Path(id)).await
}

/// Queues a failed or cancelled job again, with a fresh budget of attempts.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/retry", tag = "jobs",
    responses((status = 200, body = JobView), (status = 404, body = ApiError), (status = 409, body = ApiError)))]
pub(super) async fn retry(
    State(state): State<AppState>,
    Path(id): Path<i64>,
) -> Result<Json<JobView>, ApiError> {
    state.store.retry_job(id).await?;
    get(State(state), Path(id)).await
}
