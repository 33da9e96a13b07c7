//! `/experiments`: submit, list, read, edit, delete, cancel, pause, resume, retry.

use std::fmt::Display;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use optlab_api_types::{
    ActionResult, Arms, DryRun, Experiment, ExperimentSummary, List, PlannedJob, Seeds, Submission, Submitted,
};
use optlab_domain::{Action, ExperimentId, Provenance};
use optlab_spec::submission::{self, parse_json};
use optlab_spec::{ExperimentSpec, Fields, JobSpec};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;

use super::error::ApiError;
use super::estimate::estimate;
use super::extract::{Document, Path, Query};
use super::parameter::{Id, Name, Whole};
use super::queue::QueueState;
use super::state::AppState;
use super::views;
use crate::store::{self, Edit, JobFilter, JobOrder};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SubmitParams {
    /// Resolve and validate only; store nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Submits an experiment: a spec (JSON, or TOML with `application/toml`), or a recipe with overrides.
#[utoipa::path(post, path = "/api/v1/experiments", tag = "experiments",
    params(SubmitParams, ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[ -~]+$",
           description = "A repeated submission with the same key and body gets the answer of the first one"),
        ("Optlab-Provenance" = Option<String>, Header, max_length = 16_000, pattern = r"^\{[ -~]*\}$",
           description = "Where the submission comes from: the fields of `Provenance` that are known, as JSON in ASCII. It is stored with the experiment and does not distinguish repeated submissions")),
    request_body(content((Submission = "application/json"), (String = "application/toml"))),
    responses((status = 201, body = Submitted), (status = 200, body = DryRun, description = "Dry run")))]
pub(super) async fn submit(
    State(state): State<AppState>,
    Query(params): Query<SubmitParams>,
    headers: HeaderMap,
    document: Document,
) -> Result<Response, ApiError> {
    let (key, provenance) = (idempotency_key(&headers)?, provenance(&headers)?);
    let spec = submission::resolve(&document.value)?;
    if params.dry_run {
        return Ok(Json(dry_run(&state, spec).await?).into_response());
    }
    let body = hex::encode(Sha256::digest(&document.text));
    let idempotency = key.map(|key| (key, body.as_str()));
    let submission = store::Submission { spec: &spec, text: Some(&document.text), idempotency, provenance };
    let id = state.store.submit(submission).await?;
    let submitted = submitted(&state, id).await?;
    Ok((StatusCode::CREATED, Json(submitted)).into_response())
}

async fn dry_run(state: &AppState, spec: ExperimentSpec) -> Result<DryRun, ApiError> {
    let planned = |job: JobSpec| {
        let (phase, steps) = (job.phase(), job.train.total_steps());
        PlannedJob { arm: job.arm, phase, trial: job.trial, seed: job.seed, steps }
    };
    let later = if spec.tune.is_some() { spec.confirmed() } else { Vec::new() };
    let jobs = spec.jobs().into_iter().chain(later).map(planned).collect();
    let estimate = estimate(state, &spec).await?;
    let (slots, why_queued) = QueueState::of(state).await?.preview(spec.resources.device);
    Ok(DryRun { spec, jobs, estimate, slots, why_queued })
}

/// The answer to a submission or an import of experiment `id`.
pub(super) async fn submitted(state: &AppState, id: ExperimentId) -> Result<Submitted, ApiError> {
    // A repeated submission may find that its experiment has been renamed.
    let name = state.store.experiment(id).await?.name;
    let filter = JobFilter { experiment: Some(id), ..JobFilter::default() };
    let jobs = state.store.jobs(filter, JobOrder::default(), None, i64::from(u32::MAX)).await?.items;
    Ok(Submitted { id, name, jobs: jobs.into_iter().map(views::job).collect() })
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    match key.to_str() {
        Ok(key) if (1..=200).contains(&key.len()) => Ok(Some(key)),
        _ => Err(ApiError::malformed("Idempotency-Key must be 1 to 200 visible ASCII characters")),
    }
}

/// Maximum length of the header in bytes. A character of a command line may take twelve.
const LONGEST_PROVENANCE: usize = 16_000;

fn provenance(headers: &HeaderMap) -> Result<Provenance, ApiError> {
    let Some(header) = headers.get("optlab-provenance") else { return Ok(Provenance::default()) };
    let wrong = |why: &dyn Display| ApiError::malformed(format!("Optlab-Provenance {why}"));
    let fits = |text: &&str| text.len() <= LONGEST_PROVENANCE && text.starts_with('{');
    let text =
        header.to_str().ok().filter(fits).ok_or_else(|| wrong(&"must be an object of JSON in ASCII"))?;
    let value = parse_json(text.as_bytes()).map_err(|error| wrong(&error))?;
    let provenance = Provenance::deserialize(value).map_err(|error| wrong(&format!("is wrong: {error}")))?;
    provenance.mistake().map_or(Ok(provenance), |mistake| Err(wrong(&mistake)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParams {
    /// Maximum number of items.
    #[param(inline)]
    #[serde(default)]
    limit: Whole<1, 1000, 50>,
    /// `next_cursor` of the previous page.
    #[param(inline)]
    cursor: Option<Id>,
}

/// Experiments, newest first.
#[utoipa::path(get, path = "/api/v1/experiments", tag = "experiments", params(ListParams),
    responses((status = 200, body = List<ExperimentSummary>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    Query(params): Query<ListParams>,
) -> Result<Json<List<ExperimentSummary>>, ApiError> {
    let (cursor, limit) = (Id::read(params.cursor, "cursor")?, params.limit.read("limit")?);
    let page = state.store.experiments(cursor, limit).await?;
    let items = page.items.into_iter().map(ExperimentSummary::from).collect();
    Ok(Json(List { items, next_cursor: page.next.map(|id| id.to_string()) }))
}

/// One experiment.
#[utoipa::path(get, path = "/api/v1/experiments/{id}", tag = "experiments",
    responses((status = 200, body = Experiment)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
) -> Result<Json<Experiment>, ApiError> {
    let experiment = state.store.experiment(id).await?;
    detail(&state, experiment).await.map(Json)
}

/// The experiment with its series.
pub(super) async fn detail(state: &AppState, experiment: store::Experiment) -> Result<Experiment, ApiError> {
    let series = state.store.series_of_experiment(experiment.id).await?;
    let series = series.into_iter().map(Into::into).collect();
    let (spec, provenance) = (experiment.spec.clone(), experiment.provenance.clone());
    Ok(Experiment { spec, provenance, summary: experiment.into(), series })
}

/// Changes name, notes, tags, archived, or the priority of the jobs in the queue. Fields that are left out stay.
#[utoipa::path(patch, path = "/api/v1/experiments/{id}", tag = "experiments", request_body = optlab_api_types::Edit,
    responses((status = 200, body = Experiment)))]
pub(super) async fn edit(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
    document: Document,
) -> Result<Json<Experiment>, ApiError> {
    state.store.edit_experiment(id, read_edit(&document.value)?).await?;
    changed(&state, id).await
}

fn read_edit(value: &Value) -> Result<Edit, ApiError> {
    let edit = Fields::read(value, |fields| Edit {
        name: fields.has("name").then(|| fields.name("name")),
        notes: fields.has("notes").then(|| fields.notes()),
        tags: fields.has("tags").then(|| fields.tags()),
        archived: fields.has("archived").then(|| fields.flag("archived", false)),
        priority: fields.has("priority").then(|| fields.priority()),
    })?;
    Ok(edit)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteParams {
    /// Name of the experiment, as confirmation.
    #[param(inline)]
    name: Name,
}

/// Deletes an experiment, its jobs, their curves and their files. It must have no running job.
#[utoipa::path(delete, path = "/api/v1/experiments/{id}", tag = "experiments", params(DeleteParams),
    responses((status = 204), (status = 409)))]
pub(super) async fn delete(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
    Query(params): Query<DeleteParams>,
) -> Result<StatusCode, ApiError> {
    let name = Name::read(Some(params.name), "name")?.unwrap_or_default();
    state.store.delete_experiment(id, &name).await?;
    state.live.experiment_changed(id);
    Ok(StatusCode::NO_CONTENT)
}

/// Cancels every job that has not ended.
#[utoipa::path(post, path = "/api/v1/experiments/{id}/cancel", tag = "experiments",
    responses((status = 200, body = ActionResult)))]
pub(super) async fn cancel(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
) -> Result<Json<ActionResult>, ApiError> {
    act(&state, id, Action::Cancel).await
}

/// Pauses every job that has not ended; running jobs write a checkpoint first.
#[utoipa::path(post, path = "/api/v1/experiments/{id}/pause", tag = "experiments",
    responses((status = 200, body = ActionResult)))]
pub(super) async fn pause(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
) -> Result<Json<ActionResult>, ApiError> {
    act(&state, id, Action::Pause).await
}

/// Requeues the paused jobs, and withdraws pending pause requests.
#[utoipa::path(post, path = "/api/v1/experiments/{id}/resume", tag = "experiments",
    responses((status = 200, body = ActionResult)))]
pub(super) async fn resume(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
) -> Result<Json<ActionResult>, ApiError> {
    act(&state, id, Action::Resume).await
}

/// Requeues the failed and cancelled jobs.
#[utoipa::path(post, path = "/api/v1/experiments/{id}/retry", tag = "experiments",
    responses((status = 200, body = ActionResult)))]
pub(super) async fn retry(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
) -> Result<Json<ActionResult>, ApiError> {
    act(&state, id, Action::Retry).await
}

async fn act(state: &AppState, id: ExperimentId, action: Action) -> Result<Json<ActionResult>, ApiError> {
    let changed_jobs = state.store.act_on_experiment(id, action).await?;
    let Json(experiment) = changed(state, id).await?;
    Ok(Json(ActionResult { changed_jobs, experiment }))
}

/// Adds seeds, `{"seeds": [...]}`, to every arm. Seeds that are already there are ignored.
#[utoipa::path(post, path = "/api/v1/experiments/{id}/seeds", tag = "experiments", request_body = Seeds,
    responses((status = 200, body = Experiment)))]
pub(super) async fn add_seeds(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
    document: Document,
) -> Result<Json<Experiment>, ApiError> {
    let spec = state.store.experiment(id).await?.spec;
    state.store.add_seeds(id, &spec.read_more_seeds(&document.value)?).await?;
    changed(&state, id).await
}

/// Adds arms, `{"arms": [...]}` or `[[arms]]` in TOML, with one job per seed. They inherit `train` as the other arms do.
#[utoipa::path(post, path = "/api/v1/experiments/{id}/arms", tag = "experiments",
    request_body(content((Arms = "application/json"), (String = "application/toml"))),
    responses((status = 200, body = Experiment), (status = 409)))]
pub(super) async fn add_arms(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
    document: Document,
) -> Result<Json<Experiment>, ApiError> {
    let spec = state.store.experiment(id).await?.spec;
    let submitted = state.store.submitted_text(id).await?;
    let (extended, text) = spec.with_more_arms(submitted.as_deref(), &document.text, &document.value)?;
    state.store.add_arms(id, &spec, &extended, &text).await?;
    changed(&state, id).await
}

async fn changed(state: &AppState, id: ExperimentId) -> Result<Json<Experiment>, ApiError> {
    state.live.experiment_changed(id);
    let experiment = state.store.experiment(id).await?;
    detail(state, experiment).await.map(Json)
}
