//! Server-sent events.

use optlab_domain::{ExperimentId, JobId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One event of the stream, by its lines.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// `job`, `metrics`, `experiment`, `reset` or `alive`.
    pub event: String,
    /// JSON: a `Job`, a `MetricsHint`, an `ExperimentHint`, or an empty object.
    pub data: String,
    /// Value for `Last-Event-ID`. A `reset` and an `alive` have no such line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<String>,
}

/// The data of a `metrics` event: a job has new points.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MetricsHint {
    /// Id of the job's experiment.
    #[schema(value_type = i64)]
    pub experiment_id: ExperimentId,
    /// Id of the job.
    #[schema(value_type = i64)]
    pub job_id: JobId,
    /// Its completed updates.
    pub step: i64,
}

/// The data of an `experiment` event: the experiment itself has changed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExperimentHint {
    /// Id of the experiment.
    #[schema(value_type = i64)]
    pub experiment_id: ExperimentId,
}
