//! `/experiments/{id}/runs`: one series of an experiment, as one curve per job.

use axum::Json;
use axum::extract::State;
use optlab_api_types::{Run, Runs};
use optlab_domain::{ExperimentId, JobId};

use super::super::error::ApiError;
use super::super::extract::{Path, Query};
use super::super::state::AppState;
use super::CurveParams;
use crate::store::Series;

/// One curve per job of an experiment.
#[utoipa::path(get, path = "/api/v1/experiments/{id}/runs", tag = "metrics", params(CurveParams),
    responses((status = 200, body = Runs)))]
pub(in crate::api) async fn of_runs(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
    Query(params): Query<CurveParams>,
) -> Result<Json<Runs>, ApiError> {
    let range = params.range()?;
    state.store.experiment(id).await?;
    let series = params.series(&state).await?;
    let cells = state.store.cells(id).await?;
    let jobs: Vec<JobId> = cells.iter().map(|cell| cell.job).collect();
    let set = state.store.curves(&jobs, &series.name, range).await?;
    let runs = cells.into_iter().zip(&set.curves).map(|(cell, curve)| Run {
        job_id: cell.job,
        arm: cell.arm,
        seed: cell.seed,
        points: curve.into(),
    });
    let Series { name, unit, higher_is_better } = series;
    Ok(Json(Runs { series: name, unit, higher_is_better, width: set.width, runs: runs.collect() }))
}
