//! `/experiments/{id}/curves`: the mean of each arm, and how far its seeds lie apart.

use axum::Json;
use axum::extract::State;
use optlab_spec::Arm;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::AppState;
use super::super::error::ApiError;
use super::super::extract::{Path, Query};
use super::CurveParams;
use crate::stats::{BandPoint, band};
use crate::store::{Cell, Curve, Series};

/// One series of an experiment.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct Curves {
    series: String,
    unit: String,
    higher_is_better: Option<bool>,
    /// Steps of a stretch: 1 where no point was left out.
    width: i64,
    arms: Vec<ArmCurve>,
}

/// An arm over its seeds, column by column. In longer stretches than one step each seed counts with its mean, and `min` and
/// `max` are those of single points.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct ArmCurve {
    arm: String,
    method: String,
    /// Where each stretch begins.
    steps: Vec<i64>,
    mean: Vec<f64>,
    /// Standard deviation of the sample; null for a single seed.
    std: Vec<Option<f64>>,
    min: Vec<f64>,
    max: Vec<f64>,
    /// Seeds that have points there.
    n: Vec<usize>,
}

/// The curves of an experiment's arms.
#[utoipa::path(get, path = "/api/v1/experiments/{id}/curves", tag = "metrics", params(CurveParams),
    responses((status = 200, body = Curves)))]
pub(in crate::api) async fn of_arms(
    State(state): State<AppState>,
    Path(id): Path<i64>,
    Query(params): Query<CurveParams>,
) -> Result<Json<Curves>, ApiError> {
    let range = params.range()?;
    let experiment = state.store.experiment(id).await?;
    let series = params.series(&state).await?;
    let cells = state.store.cells(id).await?;
    let jobs: Vec<i64> = cells.iter().map(|cell| cell.job).collect();
    let set = state.store.curves(&jobs, &series.name, range).await?;
    let arms = experiment.spec.arms.iter().map(|arm| ArmCurve::new(arm, &cells, &set.curves, set.width));
    let arms = arms.collect();
    let Series { name, unit, higher_is_better } = series;
    Ok(Json(Curves { series: name, unit, higher_is_better, width: set.width, arms }))
}

impl ArmCurve {
    fn new(arm: &Arm, cells: &[Cell], curves: &[Curve], width: i64) -> Self {
        let of_arm = cells.iter().zip(curves).filter(|(cell, _)| cell.arm == arm.name);
        let seeds: Vec<_> = of_arm.map(|(_, curve)| curve.buckets.as_slice()).collect();
        let band: Vec<BandPoint> = band(&seeds, width);
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
