//! `/experiments/{id}/curves`: the mean of each arm, and the spread of its seeds.

use axum::Json;
use axum::extract::State;
use optlab_api_types::{ArmCurve, Curves};
use optlab_domain::{ExperimentId, JobId, series};
use optlab_spec::Arm;

use super::super::error::ApiError;
use super::super::extract::{Path, Query};
use super::super::state::AppState;
use super::{CurveParams, bound};
use crate::stats::band;
use crate::store::{Cell, CurveRange, CurveSet, Experiment, Series, StoreError};

/// The curves of an experiment's arms.
#[utoipa::path(get, path = "/api/v1/experiments/{id}/curves", tag = "metrics", params(CurveParams),
    responses((status = 200, body = Curves)))]
pub(in crate::api) async fn of_arms(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
    Query(params): Query<CurveParams>,
) -> Result<Json<Curves>, ApiError> {
    let range = params.range()?;
    let experiment = state.store.experiment(id).await?;
    let series = params.series(&state).await?;
    Ok(Json(curves(&state, &experiment, series, range).await?))
}

/// One series of each arm.
pub(in crate::api) async fn curves(
    state: &AppState,
    experiment: &Experiment,
    series: Series,
    range: CurveRange,
) -> Result<Curves, StoreError> {
    let cells = state.store.cells(experiment.id).await?;
    let jobs: Vec<JobId> = cells.iter().map(|cell| cell.job).collect();
    let set = state.store.curves(&jobs, &series.name, range).await?;
    let Series { name, unit, higher_is_better } = series;
    let curve = |arm: &Arm| curve(arm, &cells, &set, &name);
    // Settings that were chosen for a tuned arm determine only the bound of its energy.
    let chosen = match series::is_energy(&name) {
        true => Some(state.store.with_choices(experiment.clone()).await?),
        false => None,
    };
    let arms = chosen.as_ref().unwrap_or(experiment).spec.arms.iter().map(curve).collect();
    Ok(Curves { series: name, unit, higher_is_better, width: set.width, arms })
}

fn curve(arm: &Arm, cells: &[Cell], set: &CurveSet, series: &str) -> ArmCurve {
    let of_arm = cells.iter().zip(&set.curves).filter(|(cell, _)| cell.arm == arm.name);
    let seeds: Vec<_> = of_arm.map(|(_, curve)| curve.buckets.as_slice()).collect();
    let band = band(&seeds, set.width);
    let bound = bound(&arm.train, series, band.mean.last());
    ArmCurve { arm: arm.name.clone(), method: arm.method.to_string(), band, bound }
}
