//! `/experiments/{id}/warnings`: jobs that violate an invariant of their method, or that have learned nothing.

mod invariant;
mod learning;

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use optlab_api_types::{List, Warning};
use optlab_domain::{ExperimentId, JobId, series};
use optlab_spec::Arm;

use super::error::ApiError;
use super::extract::Path;
use super::state::AppState;
use crate::store::{CurveRange, Experiment, Series};

/// A whole curve in at most this many buckets.
const fn whole(buckets: usize) -> CurveRange {
    CurveRange { after_step: -1, to_step: i64::MAX, buckets }
}

/// Jobs that violate an invariant of OPT, that end no better than chance, or whose training loss rose.
#[utoipa::path(get, path = "/api/v1/experiments/{id}/warnings", tag = "metrics",
    responses((status = 200, body = List<Warning>)))]
pub(super) async fn of_experiment(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
) -> Result<Json<List<Warning>>, ApiError> {
    let experiment = state.store.experiment(id).await?;
    of(&state, &experiment).await.map(List::whole).map(Json)
}

/// The warnings about an experiment's jobs, by job.
pub(super) async fn of(state: &AppState, experiment: &Experiment) -> Result<Vec<Warning>, ApiError> {
    let id = experiment.id;
    let arms: HashMap<&str, &Arm> = experiment.spec.arms.iter().map(|arm| (arm.name.as_str(), arm)).collect();
    let cells = state.store.cells(id).await?;
    let jobs: Vec<JobId> = cells.iter().map(|cell| cell.job).collect();
    let figures = state.store.figures(id).await?;
    let finals: HashMap<JobId, f64> =
        figures.into_iter().filter_map(|job| Some((job.job_id, job.test_accuracy?))).collect();
    let mut items = Vec::new();
    for Series { name, .. } in state.store.series_of_experiment(id).await? {
        let buckets = match (name.as_str(), series::of_layer(&name)) {
            (series::TRAIN_LOSS | series::TEST_ACCURACY, _) => learning::BUCKETS,
            (_, Some(_)) => 1,
            _ => continue,
        };
        let curves = state.store.curves(&jobs, &name, whole(buckets)).await?.curves;
        for (cell, curve) in cells.iter().zip(&curves) {
            let arm = arms.get(cell.arm.as_str());
            items.extend(arm.and_then(|arm| match name.as_str() {
                series::TRAIN_LOSS => learning::loss_rose(cell, curve),
                series::TEST_ACCURACY => learning::at_chance(arm, cell, curve, *finals.get(&cell.job)?),
                layer => invariant::warn(arm, cell, curve, layer),
            }));
        }
    }
    items.sort_by_key(|warning| warning.job_id);
    Ok(items)
}
