//! Curves: of one job, and of an experiment's arms over their seeds.

use axum::Json;
use axum::extract::State;
use optlab_spec::Arm;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::AppState;
use super::error::ApiError;
use super::extract::{Path, Query, bounded};
use crate::stats::{BandPoint, band, downsample};
use crate::store::{CurvePoint, Series};

const MOST_POINTS: i64 = 10_000;

/// A named curve.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SeriesView {
    name: String,
    unit: String,
    higher_is_better: Option<bool>,
}

impl From<Series> for SeriesView {
    fn from(series: Series) -> Self {
        Self { name: series.name, unit: series.unit, higher_is_better: series.higher_is_better }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct MetricsParams {
    /// Names, separated by commas; default: all that the job has.
    series: Option<String>,
    /// Buckets, each of which keeps its lowest and highest point: 1 to 10,000; default 1000.
    points: Option<i64>,
    /// Only what came after this step.
    after_step: Option<i64>,
}

/// The curves of a job.
#[derive(Serialize, ToSchema)]
pub(super) struct JobMetrics {
    job_id: i64,
    series: Vec<JobCurve>,
}

/// One curve, column by column.
#[derive(Serialize, ToSchema)]
pub(super) struct JobCurve {
    #[serde(flatten)]
    about: SeriesView,
    steps: Vec<i64>,
    values: Vec<f64>,
}

/// Curves of one job.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/metrics", tag = "metrics", params(MetricsParams),
    responses((status = 200, body = JobMetrics), (status = 404, body = ApiError), (status = 422, body = ApiError)))]
pub(super) async fn of_job(
    State(state): State<AppState>,
    Path(id): Path<i64>,
    Query(params): Query<MetricsParams>,
) -> Result<Json<JobMetrics>, ApiError> {
    let buckets = bounded("points", params.points, 1000, 1..=MOST_POINTS)?;
    let after_step = bounded("after_step", params.after_step, -1, -1..=i64::MAX)?;
    state.store.job(id).await?;
    let mut curves = Vec::new();
    for series in wanted(&state, id, params.series.as_deref()).await? {
        let points = state.store.curve(id, &series.name, after_step).await?;
        curves.push(JobCurve::new(series, &thin(&points, buckets)));
    }
    Ok(Json(JobMetrics { job_id: id, series: curves }))
}

async fn wanted(state: &AppState, job: i64, names: Option<&str>) -> Result<Vec<Series>, ApiError> {
    let Some(names) = names else { return Ok(state.store.series_of_job(job).await?) };
    let mut wanted = Vec::new();
    for name in names.split(',') {
        wanted.push(known_series(state, name).await?);
    }
    Ok(wanted)
}

fn thin(points: &[CurvePoint], buckets: i64) -> Vec<CurvePoint> {
    downsample(points, buckets as usize, |point| point.step, &[|point| point.value])
}

impl JobCurve {
    fn new(series: Series, points: &[CurvePoint]) -> Self {
        Self {
            about: series.into(),
            steps: points.iter().map(|point| point.step).collect(),
            values: points.iter().map(|point| point.value).collect(),
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct CurvesParams {
    /// Name of a series; default `test/accuracy`.
    series: Option<String>,
    /// Buckets, each of which keeps the extremes of its means and of its seeds: 1 to 10,000; default 400.
    points: Option<i64>,
}

/// One series of an experiment.
#[derive(Serialize, ToSchema)]
pub(super) struct Curves {
    series: String,
    unit: String,
    higher_is_better: Option<bool>,
    arms: Vec<ArmCurve>,
}

/// An arm's mean over seeds at each step, column by column.
#[derive(Serialize, ToSchema)]
pub(super) struct ArmCurve {
    arm: String,
    method: String,
    steps: Vec<i64>,
    mean: Vec<f64>,
    /// Standard deviation of the sample; null for a single seed.
    std: Vec<Option<f64>>,
    min: Vec<f64>,
    max: Vec<f64>,
    /// Seeds that have the step.
    n: Vec<usize>,
}

/// The curves of an experiment's arms.
#[utoipa::path(get, path = "/api/v1/experiments/{id}/curves", tag = "metrics", params(CurvesParams),
    responses((status = 200, body = Curves), (status = 404, body = ApiError), (status = 422, body = ApiError)))]
pub(super) async fn of_experiment(
    State(state): State<AppState>,
    Path(id): Path<i64>,
    Query(params): Query<CurvesParams>,
) -> Result<Json<Curves>, ApiError> {
    let buckets = bounded("points", params.points, 400, 1..=MOST_POINTS)?;
    let experiment = state.store.experiment(id).await?;
    let series = known_series(&state, params.series.as_deref().unwrap_or("test/accuracy")).await?;
    let mut points = state.store.arm_points(id, &series.name).await?.into_iter().peekable();
    let arms = experiment.spec.arms.iter().map(|arm| {
        let of_arm =
            points.next_if(|points| points.arm == arm.name).map(|arm| arm.points).unwrap_or_default();
        ArmCurve::new(arm, &thin_band(&of_arm, buckets))
    });
    let arms = arms.collect();
    let Series { name, unit, higher_is_better } = series;
    Ok(Json(Curves { series: name, unit, higher_is_better, arms }))
}

/// The extremes of the mean line and those of any single seed stay.
fn thin_band(points: &[CurvePoint], buckets: i64) -> Vec<BandPoint> {
    let points: Vec<(i64, f64)> = points.iter().map(|point| (point.step, point.value)).collect();
    let extremes: [fn(&BandPoint) -> f64; 3] = [|point| point.mean, |point| point.min, |point| point.max];
    downsample(&band(&points), buckets as usize, |point| point.step, &extremes)
}

impl ArmCurve {
    fn new(arm: &Arm, band: &[BandPoint]) -> Self {
        Self {
            arm: arm.name.clone(),
            method: arm.method.to_string(),
            steps: band.iter().map(|point| point.step).collect(),
            mean: band.iter().map(|point| point.mean).collect(),
            std: band.iter().map(|point| point.std).collect(),
            min: band.iter().map(|point| point.min).collect(),
            max: band.iter().map(|point| point.max).collect(),
            n: band.iter().map(|point| point.n).collect(),
        }
    }
}

/// A series that some job has written, or one that every job will write: a chart asks before the first point.
async fn known_series(state: &AppState, name: &str) -> Result<Series, ApiError> {
    if let Some(series) = state.store.series(name).await? {
        return Ok(series);
    }
    if let Some(about) = optlab_spec::series::always(name) {
        let (unit, higher_is_better) = (about.unit.to_owned(), about.higher_is_better);
        return Ok(Series { name: name.to_owned(), unit, higher_is_better });
    }
    let given: String = name.chars().take(100).collect();
    Err(ApiError::invalid_parameter(format!(
        "`series`: there is no series {given:?}; `GET /api/v1/experiments/ID` lists those of an experiment"
    )))
}
