//! Warnings about jobs that violate an invariant of their method, or that have learned nothing.

use optlab_domain::{JobId, WarningKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A job that is not what it seems.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// What is wrong.
    pub kind: WarningKind,
    /// Id of the job.
    #[schema(value_type = i64)]
    pub job_id: JobId,
    /// Name of its arm.
    pub arm: String,
    /// Its seed.
    pub seed: i64,
    /// The series that shows it.
    pub series: String,
    /// The largest deviation, relative to the start for an energy; the final accuracy; or the lowest of the last losses.
    pub value: f64,
    /// The value that rounding or chance can explain; for a loss, its start.
    pub tolerance: f64,
    /// The warning as a sentence.
    pub detail: String,
}
