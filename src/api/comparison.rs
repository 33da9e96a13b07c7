//! `/experiments/{id}/comparison`: the arms against the baseline, seed by seed.

use axum::Json;
use axum::extract::State;
use optlab_spec::MethodSpec;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::AppState;
use super::error::ApiError;
use super::extract::{Path, Query};
use crate::stats::{Contender, Difference, paired_difference, spread, verdict};
use crate::store::{Experiment, JobFigures};

const METRIC: &str = "test_error";

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// What is compared; `test_error` for now.
    metric: Option<String>,
    /// Name of the arm to compare with; default: the first whose method is `baseline`.
    baseline: Option<String>,
}

/// The arms of an experiment, over their succeeded jobs.
#[derive(Serialize, ToSchema)]
pub(super) struct Comparison {
    metric: &'static str,
    unit: &'static str,
    baseline: Option<String>,
    /// The result as a sentence.
    verdict: String,
    arms: Vec<ArmComparison>,
}

/// One arm.
#[derive(Serialize, ToSchema)]
pub(super) struct ArmComparison {
    arm: String,
    method: String,
    /// Succeeded jobs.
    n: usize,
    mean: Option<f64>,
    /// Standard deviation of the sample.
    std: Option<f64>,
    /// Mean of the last `energy/mean`.
    energy: Option<f64>,
    /// Mean wall time of a run.
    seconds: Option<f64>,
    /// Arm minus baseline; null below two pairs of seeds.
    difference: Option<DifferenceView>,
}

/// A paired difference with its 95% interval.
#[derive(Serialize, ToSchema)]
pub(super) struct DifferenceView {
    n: usize,
    mean: f64,
    low: f64,
    high: f64,
    p_value: f64,
}

impl From<Difference> for DifferenceView {
    fn from(difference: Difference) -> Self {
        let Difference { n, mean, low, high, p_value } = difference;
        Self { n, mean, low, high, p_value }
    }
}

/// Test error of each arm, and its paired difference from the baseline.
#[utoipa::path(get, path = "/api/v1/experiments/{id}/comparison", tag = "metrics", params(Params),
    responses((status = 200, body = Comparison), (status = 404, body = ApiError), (status = 422, body = ApiError)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<i64>,
    Query(params): Query<Params>,
) -> Result<Json<Comparison>, ApiError> {
    if params.metric.is_some_and(|metric| metric != METRIC) {
        return Err(ApiError::invalid_parameter(format!("`metric` must be `{METRIC}`")));
    }
    let experiment = state.store.experiment(id).await?;
    let baseline = baseline(&experiment, params.baseline)?;
    let figures = state.store.figures(id).await?;
    Ok(Json(compare(&experiment, baseline, &figures)))
}

fn baseline(experiment: &Experiment, wanted: Option<String>) -> Result<Option<String>, ApiError> {
    let arms = &experiment.spec.arms;
    let Some(wanted) = wanted else {
        // The plain one, before one with another start.
        let plain = arms.iter().find(|arm| arm.method == MethodSpec::BASELINE);
        let found =
            plain.or_else(|| arms.iter().find(|arm| matches!(arm.method, MethodSpec::Baseline { .. })));
        return Ok(found.map(|arm| arm.name.clone()));
    };
    if arms.iter().any(|arm| arm.name == wanted) {
        return Ok(Some(wanted));
    }
    let names: Vec<&str> = arms.iter().map(|arm| arm.name.as_str()).collect();
    Err(ApiError::invalid_parameter(format!("`baseline` must be one of {}", names.join(", "))))
}

fn compare(experiment: &Experiment, baseline: Option<String>, figures: &[JobFigures]) -> Comparison {
    let errors = |arm: &str| seeds(figures, arm, |figures| figures.test_error);
    let reference = baseline.as_deref().map(errors).unwrap_or_default();
    let arms: Vec<(ArmComparison, Option<Difference>)> = experiment
        .spec
        .arms
        .iter()
        .map(|arm| {
            let errors = errors(&arm.name);
            let is_baseline = baseline.as_deref() == Some(&arm.name);
            let difference = if is_baseline { None } else { paired_difference(&reference, &errors) };
            let mean = |pick: fn(&JobFigures) -> Option<f64>| {
                spread(&values(&seeds(figures, &arm.name, pick))).map(|spread| spread.mean)
            };
            let spread = spread(&values(&errors));
            let row = ArmComparison {
                arm: arm.name.clone(),
                method: arm.method.to_string(),
                n: errors.len(),
                mean: spread.map(|spread| spread.mean),
                std: spread.and_then(|spread| spread.std),
                energy: mean(|figures| figures.energy),
                seconds: mean(|figures| figures.seconds),
                difference: difference.map(Into::into),
            };
            (row, difference)
        })
        .collect();
    let contenders: Vec<Contender<'_>> = arms
        .iter()
        .filter(|(row, _)| baseline.as_deref() != Some(&row.arm))
        .map(|(row, difference)| Contender { arm: &row.arm, difference: *difference })
        .collect();
    let counts = experiment.counts;
    let settled = counts.queued + counts.running + counts.paused == 0;
    let verdict = verdict(baseline.as_deref(), &contenders, settled);
    let arms = arms.into_iter().map(|(row, _)| row).collect();
    Comparison { metric: METRIC, unit: "%", baseline, verdict, arms }
}

/// `(seed, figure)` of an arm's jobs that have the figure.
fn seeds(figures: &[JobFigures], arm: &str, pick: impl Fn(&JobFigures) -> Option<f64>) -> Vec<(i64, f64)> {
    figures.iter().filter(|row| row.arm == arm).filter_map(|row| Some((row.seed, pick(row)?))).collect()
}

fn values(seeds: &[(i64, f64)]) -> Vec<f64> {
    seeds.iter().map(|(_, value)| *value).collect()
}
