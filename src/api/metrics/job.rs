//! `/jobs/{id}/metrics`: the curves of one job.

use axum::Json;
use axum::extract::State;
use optlab_api_types::{Columns, JobCurve, JobMetrics};
use optlab_domain::JobId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::error::ApiError;
use super::super::extract::{Path, Query};
use super::super::parameter::Whole;
use super::super::state::AppState;
use super::{AfterStep, MOST_POINTS, ToStep, bound, known_series, range};
use crate::store::Series;

type Points = Whole<1, MOST_POINTS, 1000>;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct MetricsParams {
    /// Names of series, separated by commas; default: all series of the job.
    series: Option<String>,
    /// Maximum number of buckets, each of which keeps its lowest and highest point.
    #[param(inline)]
    #[serde(default)]
    points: Points,
    /// Only points after this step.
    #[param(inline)]
    #[serde(default)]
    after_step: AfterStep,
    /// Only points up to this step.
    #[param(inline)]
    #[serde(default)]
    to_step: ToStep,
}

/// Curves of one job.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/metrics", tag = "metrics", params(MetricsParams),
    responses((status = 200, body = JobMetrics)))]
pub(in crate::api) async fn of_job(
    State(state): State<AppState>,
    Path(id): Path<JobId>,
    Query(params): Query<MetricsParams>,
) -> Result<Json<JobMetrics>, ApiError> {
    let range = range(params.points, params.after_step, params.to_step)?;
    let spec = state.store.job_spec(id).await?;
    let mut curves = Vec::new();
    for series in wanted(&state, id, params.series.as_deref()).await? {
        let set = state.store.curves(&[id], &series.name, range).await?;
        let points = set.curves.iter().map(Columns::from);
        curves.extend(points.map(|points| JobCurve {
            bound: spec.as_ref().and_then(|spec| bound(&spec.train, &series.name, points.values.last())),
            about: series.clone().into(),
            width: set.width,
            points,
        }));
    }
    Ok(Json(JobMetrics { job_id: id, series: curves }))
}

async fn wanted(state: &AppState, job: JobId, names: Option<&str>) -> Result<Vec<Series>, ApiError> {
    let Some(names) = names else { return Ok(state.store.series_of_job(job).await?) };
    let mut wanted = Vec::new();
    for name in names.split(',') {
        wanted.push(known_series(state, name).await?);
    }
    Ok(wanted)
}
