//! Curves: of one job, of an experiment's runs, and of its arms over their seeds.

mod arms;
mod job;
mod runs;

use optlab_api_types::{Columns, EnergyBound};
use optlab_domain::series;
use optlab_spec::TrainSpec;
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::ApiError;
use super::parameter::Whole;
use super::state::AppState;
use crate::store::{Curve, CurveRange, Series};

// Includes the items that utoipa generates beside each handler.
pub(super) use self::arms::*;
pub(super) use self::job::*;
pub(super) use self::runs::*;

const MOST_POINTS: i64 = 10_000;

type Points = Whole<1, MOST_POINTS, 400>;
type AfterStep = Whole<-1, { i64::MAX }, -1>;
type ToStep = Whole<0, { i64::MAX }, { i64::MAX }>;

/// One series of an experiment, over some of its steps.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct CurveParams {
    /// Name of a series; default `test/accuracy`.
    series: Option<String>,
    /// Maximum number of buckets of steps, each with its lowest and highest point.
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

impl CurveParams {
    fn range(&self) -> Result<CurveRange, ApiError> {
        range(self.points, self.after_step, self.to_step)
    }

    async fn series(&self, state: &AppState) -> Result<Series, ApiError> {
        known_series(state, self.series.as_deref().unwrap_or(series::TEST_ACCURACY)).await
    }
}

impl From<&Curve> for Columns {
    fn from(curve: &Curve) -> Self {
        let points = curve.points();
        let steps = points.iter().map(|point| point.step).collect();
        Self { steps, values: points.iter().map(|point| point.value).collect() }
    }
}

/// The lower bound of the series `name`, if it is an energy, and how far its `last` value is above it.
fn bound(train: &TrainSpec, name: &str, last: Option<&f64>) -> Option<EnergyBound> {
    let least = train.least_energy(name)?;
    let excess = last.map(|&energy| least.excess(energy));
    Some(EnergyBound { least: least.value, reachable: least.reachable, excess })
}

/// The requested range and resolution, from the parameters of these names.
fn range<const DEFAULT: i64>(
    points: Whole<1, MOST_POINTS, DEFAULT>,
    after_step: AfterStep,
    to_step: ToStep,
) -> Result<CurveRange, ApiError> {
    Ok(CurveRange {
        after_step: after_step.read("after_step")?,
        to_step: to_step.read("to_step")?,
        buckets: points.read("points")? as usize,
    })
}

/// Accepts a series that some job has written, or that every job will write: a chart requests it before the first
/// point.
async fn known_series(state: &AppState, name: &str) -> Result<Series, ApiError> {
    if let Some(series) = state.store.series(name).await? {
        return Ok(series);
    }
    if let Some(about) = series::always(name) {
        let (unit, higher_is_better) = (about.unit.to_owned(), about.higher_is_better);
        return Ok(Series { name: name.to_owned(), unit, higher_is_better });
    }
    let given: String = name.chars().take(100).collect();
    Err(ApiError::invalid_parameter(format!(
        "`series`: there is no series {given:?}; `GET /api/v1/experiments/ID` lists those of an experiment"
    )))
}
