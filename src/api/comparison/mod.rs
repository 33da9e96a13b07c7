//! `/experiments/{id}/comparison`: the arms against one of them, seed by seed.

mod figures;
mod compare;
mod environments;
mod view;

use axum::Json;
use axum::extract::State;
use optlab_spec::MethodSpec;
use serde::Deserialize;
use tokio::task::spawn_blocking;
use utoipa::IntoParams;

use super::AppState;
use super::error::ApiError;
use super::extract::{Path, Query};
use crate::stats::Metric;
use crate::store::Experiment;
use compare::compare;
use figures::Figures;
use view::Comparison;

const MOST_EVALUATIONS: i64 = 1000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// What is compared: `test_error` (the default), `best_test_error`, `last_test_error`, the same three of
    /// `test_accuracy`, `energy`, `seconds`, `peak_memory` or `parameters_trained`.
    metric: Option<String>,
    /// Name of the arm to compare with; default: the first whose method is `baseline`, else the first.
    baseline: Option<String>,
    /// The evaluations at the end that `last_test_error` and `last_test_accuracy` are the mean of; default 5.
    last: Option<i64>,
}

impl Params {
    fn metric(&self) -> Result<Metric, ApiError> {
        let metric = self.metric.as_deref().map_or(Ok(Metric::TestError), Metric::parse);
        metric.map_err(|names| ApiError::invalid_parameter(format!("`metric` {names}")))
    }

    fn last(&self) -> Result<i64, ApiError> {
        match self.last.unwrap_or(5) {
            last @ 1..=MOST_EVALUATIONS => Ok(last),
            last => Err(ApiError::invalid_parameter(format!(
                "`last` must be from 1 to {MOST_EVALUATIONS}, is {last}"
            ))),
        }
    }
}

/// Each arm's figures over its succeeded jobs, and their paired difference from the baseline's. What is missing is named.
#[utoipa::path(get, path = "/api/v1/experiments/{id}/comparison", tag = "metrics", params(Params),
    responses((status = 200, body = Comparison), (status = 404, body = ApiError), (status = 422, body = ApiError)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<i64>,
    Query(params): Query<Params>,
) -> Result<Json<Comparison>, ApiError> {
    let (metric, last) = (params.metric()?, params.last()?);
    let experiment = state.store.experiment(id).await?;
    let baseline = baseline(&experiment, params.baseline)?;
    let figures = Figures::read(&*state.store, &experiment, metric, last).await?;
    // Tens of thousands of resamples for each arm.
    let comparison = spawn_blocking(move || compare(&experiment, metric, last, baseline, &figures)).await;
    comparison.map(Json).map_err(|error| ApiError::failed(&error))
}

fn baseline(experiment: &Experiment, wanted: Option<String>) -> Result<String, ApiError> {
    let arms = &experiment.spec.arms;
    let Some(wanted) = wanted else {
        // The plain one, before one with another start.
        let plain = arms.iter().find(|arm| arm.method == MethodSpec::BASELINE);
        let other = || arms.iter().find(|arm| matches!(arm.method, MethodSpec::Baseline { .. }));
        let found = plain.or_else(other).or(arms.first());
        return Ok(found.map(|arm| arm.name.clone()).unwrap_or_default());
    };
    if arms.iter().any(|arm| arm.name == wanted) {
        return Ok(wanted);
    }
    let names: Vec<&str> = arms.iter().map(|arm| arm.name.as_str()).collect();
    Err(ApiError::invalid_parameter(format!("`baseline` must be one of {}", names.join(", "))))
}
