//! Curves: of a job, of the jobs of an experiment, and of its arms over their seeds.

use optlab_domain::JobId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A named series.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SeriesInfo {
    /// `test/accuracy`, `energy/mean`, ...
    pub name: String,
    /// Unit of its values; empty for a pure number.
    pub unit: String,
    /// Which direction is better; null if neither is.
    pub higher_is_better: Option<bool>,
}

/// Points of a curve, column by column.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Columns {
    /// Completed updates.
    pub steps: Vec<i64>,
    /// The value at each step.
    pub values: Vec<f64>,
}

/// The curves of a job.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobMetrics {
    /// Id of the job.
    #[schema(value_type = i64)]
    pub job_id: JobId,
    /// One curve per series.
    pub series: Vec<JobCurve>,
}

/// One curve of a job.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobCurve {
    /// What it shows.
    #[serde(flatten)]
    pub about: SeriesInfo,
    /// Steps per bucket; 1 if no point was left out.
    pub width: i64,
    /// The lowest and the highest point of each bucket.
    #[serde(flatten)]
    pub points: Columns,
    /// The lower bound, if it is an energy; null otherwise.
    pub bound: Option<EnergyBound>,
}

/// The lower bound of a hyperspherical energy. For n neurons of length d it is that of the regular simplex, or in
/// half-space that of orthonormal neurons; for the mean of layers, the mean of their bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EnergyBound {
    /// The bound.
    pub least: f64,
    /// Whether some neurons have this energy: in every layer n <= d + 1, or n <= d in half-space.
    pub reachable: bool,
    /// How far the last value of the curve is above the bound, in percent of the bound's size.
    pub excess: Option<f64>,
}

/// One series of the jobs of an experiment.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Runs {
    /// Name of the series.
    pub series: String,
    /// Unit of its values; empty for a pure number.
    pub unit: String,
    /// Which direction is better; null if neither is.
    pub higher_is_better: Option<bool>,
    /// Steps per bucket; 1 if no point was left out.
    pub width: i64,
    /// One curve per job.
    pub runs: Vec<Run>,
}

/// The curve of one job.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// Id of the job.
    #[schema(value_type = i64)]
    pub job_id: JobId,
    /// Name of its arm.
    pub arm: String,
    /// Its seed.
    pub seed: i64,
    /// The lowest and the highest point of each bucket.
    #[serde(flatten)]
    pub points: Columns,
}

/// One series of an experiment.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Curves {
    /// Name of the series.
    pub series: String,
    /// Unit of its values; empty for a pure number.
    pub unit: String,
    /// Which direction is better; null if neither is.
    pub higher_is_better: Option<bool>,
    /// Steps per bucket; 1 if no point was left out.
    pub width: i64,
    /// One curve per arm.
    pub arms: Vec<ArmCurve>,
}

/// An arm over its seeds.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ArmCurve {
    /// Name of the arm.
    pub arm: String,
    /// `baseline`, `opt:cayley`, ...
    pub method: String,
    /// Its mean and the spread of its seeds.
    #[serde(flatten)]
    pub band: Band,
    /// The lower bound, if it is an energy; null otherwise.
    pub bound: Option<EnergyBound>,
}

/// The mean of several seeds with its spread, column by column, one entry per bucket of steps. In a bucket of more than
/// one step each seed counts with its mean, and `min` and `max` are those of single points.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Band {
    /// Where each bucket begins.
    pub steps: Vec<i64>,
    /// Mean over the seeds that have points in the bucket.
    pub mean: Vec<f64>,
    /// Sample standard deviation; null for a single seed.
    pub std: Vec<Option<f64>>,
    /// Lowest point of any seed.
    pub min: Vec<f64>,
    /// Highest point of any seed.
    pub max: Vec<f64>,
    /// Number of seeds that have points in the bucket.
    pub n: Vec<usize>,
}
