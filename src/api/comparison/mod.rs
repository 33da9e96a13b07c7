//! `/experiments/{id}/comparison` and `/comparison`: arms against one of them, seed by seed.

mod compared;
mod figures;
mod compare;
mod environments;
mod sentences;

use axum::Json;
use axum::extract::State;
use optlab_api_types::Comparison;
use optlab_domain::{ExperimentId, Metric, parse_word};
use serde::Deserialize;
use tokio::task::spawn_blocking;
use utoipa::IntoParams;

use super::error::ApiError;
use super::extract::{Path, Query};
use super::parameter::{Ids, Name, Whole};
use super::state::AppState;
use compare::{Question, compare};
use compared::Compared;
use figures::Figures;

/// Maximum number of experiments in a comparison.
const MOST_EXPERIMENTS: usize = 10;

type Experiments = Ids<MOST_EXPERIMENTS>;
type Last = Whole<1, 1000, 5>;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// The metric to compare; default `test_error`.
    #[param(inline, value_type = Option<Metric>)]
    metric: Option<String>,
    /// Name of the arm to compare with; default: the experiment's `baseline`.
    #[param(inline)]
    baseline: Option<Name>,
    /// Number of final evaluations that metrics such as `last_test_error` average.
    #[param(inline)]
    #[serde(default)]
    last: Last,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ManyParams {
    /// Ids of the experiments, separated by commas.
    #[param(inline, style = Form, explode = false)]
    experiments: Experiments,
    /// The metric to compare; default `test_error`.
    #[param(inline, value_type = Option<Metric>)]
    metric: Option<String>,
    /// Name of the arm to compare with, `ID/ARM` if there are several experiments; default: the `baseline` of the first
    /// experiment.
    #[param(pattern = "^([0-9]{1,19}/)?[A-Za-z0-9._-]{1,100}$")]
    baseline: Option<String>,
    /// Number of final evaluations that metrics such as `last_test_error` average.
    #[param(inline)]
    #[serde(default)]
    last: Last,
}

/// Each arm's figures over its succeeded jobs, and their paired difference from the baseline's. Missing figures are
/// listed.
#[utoipa::path(get, path = "/api/v1/experiments/{id}/comparison", tag = "metrics", params(Params),
    responses((status = 200, body = Comparison)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
    Query(params): Query<Params>,
) -> Result<Json<Comparison>, ApiError> {
    let baseline = Name::read(params.baseline, "baseline")?;
    answer(&state, &[id], params.metric.as_deref(), baseline, params.last).await.map(Json)
}

/// The arms of several experiments, named `ID/ARM`, compared with one of them. Jobs with equal seeds are pairs if task
/// and training images are the same; otherwise there is no verdict on an arm, and it says why.
#[utoipa::path(get, path = "/api/v1/comparison", tag = "metrics", params(ManyParams),
    responses((status = 200, body = Comparison), (status = 404)))]
pub(super) async fn of_many(
    State(state): State<AppState>,
    Query(params): Query<ManyParams>,
) -> Result<Json<Comparison>, ApiError> {
    let ids: Vec<ExperimentId> = params.experiments.read("experiments")?;
    answer(&state, &ids, params.metric.as_deref(), params.baseline, params.last).await.map(Json)
}

/// The comparison that the verdict on an experiment's page comes from.
pub(super) async fn usual(state: &AppState, experiment: ExperimentId) -> Result<Comparison, ApiError> {
    answer(state, &[experiment], None, None, Last::default()).await
}

async fn answer(
    state: &AppState,
    experiments: &[ExperimentId],
    metric: Option<&str>,
    baseline: Option<String>,
    last: Last,
) -> Result<Comparison, ApiError> {
    let (metric, last) = (read_metric(metric)?, last.read("last")?);
    let compared = Compared::read(&state.store, experiments).await?;
    let baseline = compared.baseline(baseline)?;
    let figures = Figures::read(&state.store, &compared, metric, last).await?;
    // The bootstrap draws tens of thousands of resamples per arm.
    let question = Question { metric, last, baseline, pairs_needed: state.settings.pairs_needed.into() };
    let comparison = spawn_blocking(move || compare(&compared, question, &figures)).await;
    comparison.map_err(|error| ApiError::failed(&error))
}

fn read_metric(word: Option<&str>) -> Result<Metric, ApiError> {
    let metric = word.map_or(Ok(Metric::TestError), parse_word);
    metric.map_err(|right| ApiError::invalid_parameter(format!("`metric` {right}")))
}
