//! `/experiments/{id}/comparison`: the arms against one of them, seed by seed.

mod figures;
mod compare;
mod environments;

use axum::Json;
use axum::extract::State;
use optlab_api_types::Comparison;
use optlab_domain::{ExperimentId, Metric, parse_word};
use serde::Deserialize;
use tokio::task::spawn_blocking;
use utoipa::IntoParams;

use super::error::ApiError;
use super::extract::{Path, Query};
use super::parameter::{Name, Whole};
use super::state::AppState;
use crate::store::Experiment;
use compare::{Question, compare};
use figures::Figures;

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
    last: Whole<1, 1000, 5>,
}

impl Params {
    fn metric(&self) -> Result<Metric, ApiError> {
        let metric = self.metric.as_deref().map_or(Ok(Metric::TestError), parse_word);
        metric.map_err(|right| ApiError::invalid_parameter(format!("`metric` {right}")))
    }
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
    let (metric, last) = (params.metric()?, params.last.read("last")?);
    let mut experiment = state.store.experiment(id).await?;
    if experiment.spec.tune.is_some() {
        experiment.spec = experiment.spec.with_choices(&state.store.chosen_jobs(id).await?);
    }
    let baseline = baseline(&experiment, Name::read(params.baseline, "baseline")?)?;
    let figures = Figures::read(&state.store, &experiment, metric, last).await?;
    // The bootstrap draws tens of thousands of resamples per arm.
    let question = Question { metric, last, baseline, pairs_needed: state.settings.pairs_needed.into() };
    let comparison = spawn_blocking(move || compare(&experiment, question, &figures)).await;
    comparison.map(Json).map_err(|error| ApiError::failed(&error))
}

fn baseline(experiment: &Experiment, wanted: Option<String>) -> Result<Option<String>, ApiError> {
    let Some(wanted) = wanted else { return Ok(experiment.spec.baseline.clone()) };
    let arms = &experiment.spec.arms;
    if arms.iter().any(|arm| arm.name == wanted) {
        return Ok(Some(wanted));
    }
    let names: Vec<&str> = arms.iter().map(|arm| arm.name.as_str()).collect();
    Err(ApiError::invalid_parameter(format!("`baseline` must be one of {}", names.join(", "))))
}
