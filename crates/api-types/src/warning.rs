//! Warnings about jobs that violate an invariant of their method.

use optlab_domain::JobId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An invariant of the method that a job violates.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// Id of the job.
    #[schema(value_type = i64)]
    pub job_id: JobId,
    /// Name of its arm.
    pub arm: String,
    /// Its seed.
    pub seed: i64,
    /// The series that shows it.
    pub series: String,
    /// The largest deviation; that of an energy is relative to the energy at the start.
    pub value: f64,
    /// The deviation that rounding can explain.
    pub tolerance: f64,
    /// The warning as a sentence.
    pub detail: String,
}
