//! `/jobs`: list, read, cancel, pause, resume, retry.

use axum::Json;
use axum::extract::State;
use optlab_api_types::{Attempt, Job, List, ListedJob};
use optlab_domain::database::JsonText;
use optlab_domain::time::rfc3339;
use optlab_domain::{Action, JobId, JobState, parse_word};
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::ApiError;
use super::extract::{Path, Query};
use super::parameter::{Id, Name, Whole};
use super::queue::QueueState;
use super::selection;
use super::state::AppState;
use crate::store::{self, JobCursor, JobFilter, JobOrder};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParams {
    /// Id of an experiment.
    #[param(inline)]
    experiment: Option<Id>,
    /// Name of an arm.
    #[param(inline)]
    arm: Option<Name>,
    /// State of the jobs.
    #[param(inline, value_type = Option<JobState>)]
    state: Option<String>,
    /// `true` for jobs of archived experiments, `false` for the others; default: both.
    archived: Option<bool>,
    /// Comparisons of fields, joined by `and`: `train.optimizer.learning_rate > 0.05 and tags = paper`. The operators
    /// are = != < <= > >= and ~ for a part of a text. `/jobs/fields` lists the fields.
    #[param(max_length = 4000)]
    r#where: Option<String>,
    /// The field by which the jobs are ordered; default `id`. Jobs without it come last.
    #[param(pattern = "^[A-Za-z0-9_.]+$")]
    sort: Option<String>,
    /// Direction of the order: `asc` (default) or `desc`.
    #[param(pattern = "^(asc|desc)$")]
    order: Option<String>,
    /// Fields whose values are added to each job, separated by commas.
    #[param(pattern = "^[A-Za-z0-9_.]+(,[A-Za-z0-9_.]+)*$")]
    fields: Option<String>,
    /// Maximum number of items.
    #[param(inline)]
    #[serde(default)]
    limit: Whole<1, 1000, 100>,
    /// `next_cursor` of the previous page.
    #[param(pattern = "^[0-9a-z.:-]+$")]
    cursor: Option<String>,
}

/// Jobs, oldest first unless `sort` is given.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(ListParams),
    responses((status = 200, body = List<ListedJob>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    Query(params): Query<ListParams>,
) -> Result<Json<List<ListedJob>>, ApiError> {
    let order = selection::order(params.sort.as_deref(), params.order.as_deref())?;
    let fields = selection::fields(params.fields.as_deref(), "fields")?;
    let cursor = params.cursor.as_deref().map(|text| cursor(text, order)).transpose()?;
    let limit = params.limit.read("limit")?;
    let page = state.store.jobs(params.filter()?, order, cursor, limit).await?;
    let ids: Vec<JobId> = page.items.iter().map(|job| job.record.id).collect();
    let mut values = state.store.job_values(&ids, &fields).await?;
    let queue = QueueState::of(&state).await?;
    let listed = |job: store::Job| {
        let fields = values.remove(&job.record.id).unwrap_or_default();
        ListedJob { job: queue.view(job), fields }
    };
    let items = page.items.into_iter().map(listed).collect();
    Ok(Json(List { items, next_cursor: page.next.map(|cursor| cursor.to_string()) }))
}

impl ListParams {
    fn filter(self) -> Result<JobFilter, ApiError> {
        Ok(JobFilter {
            experiment: Id::read(self.experiment, "experiment")?,
            arm: Name::read(self.arm, "arm")?,
            state: state_of(self.state.as_deref())?,
            archived: self.archived,
            condition: selection::condition(self.r#where.as_deref())?,
        })
    }
}

fn state_of(word: Option<&str>) -> Result<Option<JobState>, ApiError> {
    let state = word.map(parse_word).transpose();
    state.map_err(|right| ApiError::invalid_parameter(format!("`state` {right}")))
}

fn cursor(text: &str, order: JobOrder) -> Result<JobCursor, ApiError> {
    let fits = |cursor: &JobCursor| cursor.place.is_some() == (order != JobOrder::default());
    let wrong = "`cursor` must be `next_cursor` of a page with the same `sort` and `order`";
    JobCursor::parse(text).filter(fits).ok_or_else(|| ApiError::invalid_parameter(wrong))
}

/// One job.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs",
    responses((status = 200, body = Job)))]
pub(super) async fn get(State(state): State<AppState>, Path(id): Path<JobId>) -> Result<Json<Job>, ApiError> {
    let job = state.store.job(id).await?;
    Ok(Json(QueueState::of(&state).await?.view(job)))
}

/// Cancels a job. A running job stops after its current step.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/cancel", tag = "jobs",
    responses((status = 200, body = Job), (status = 409)))]
pub(super) async fn cancel(
    State(state): State<AppState>,
    Path(id): Path<JobId>,
) -> Result<Json<Job>, ApiError> {
    state.store.act_on_job(id, Action::Cancel).await?;
    get(State(state), Path(id)).await
}

/// Pauses a job. A running job writes a checkpoint first.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/pause", tag = "jobs",
    responses((status = 200, body = Job), (status = 409)))]
pub(super) async fn pause(
    State(state): State<AppState>,
    Path(id): Path<JobId>,
) -> Result<Json<Job>, ApiError> {
    state.store.act_on_job(id, Action::Pause).await?;
    get(State(state), Path(id)).await
}

/// Requeues a paused job, which resumes from its last checkpoint.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/resume", tag = "jobs",
    responses((status = 200, body = Job), (status = 409)))]
pub(super) async fn resume(
    State(state): State<AppState>,
    Path(id): Path<JobId>,
) -> Result<Json<Job>, ApiError> {
    state.store.act_on_job(id, Action::Resume).await?;
    get(State(state), Path(id)).await
}

/// Requeues a failed or cancelled job, with a fresh budget of attempts.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/retry", tag = "jobs",
    responses((status = 200, body = Job), (status = 409)))]
pub(super) async fn retry(
    State(state): State<AppState>,
    Path(id): Path<JobId>,
) -> Result<Json<Job>, ApiError> {
    state.store.act_on_job(id, Action::Retry).await?;
    get(State(state), Path(id)).await
}

impl From<store::Attempt> for Attempt {
    fn from(attempt: store::Attempt) -> Self {
        Self {
            number: attempt.number,
            worker_id: attempt.worker_id,
            engine: attempt.origin.engine,
            engine_job: attempt.origin.engine_job,
            node: attempt.origin.node,
            device: attempt.device,
            environment: attempt.environment.map(|JsonText(environment)| environment),
            start_step: attempt.start_step,
            started_at: rfc3339(attempt.started_ms),
            ended_at: attempt.ended_ms.map(rfc3339),
            end_reason: attempt.end_reason,
            error: attempt.error,
        }
    }
}

/// The attempts of a job, the oldest first.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/attempts", tag = "jobs",
    responses((status = 200, body = List<Attempt>)))]
pub(super) async fn attempts(
    State(state): State<AppState>,
    Path(id): Path<JobId>,
) -> Result<Json<List<Attempt>>, ApiError> {
    let attempts = state.store.attempts(id).await?.into_iter().map(Attempt::from);
    Ok(Json(List::whole(attempts.collect())))
}
