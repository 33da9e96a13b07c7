//! Jobs and their attempts.

use optlab_domain::{AttemptNumber, EndReason, Engine, JobRecord, WorkerId};
use optlab_spec::protocol::Environment;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One training run, with what the server knows about its present.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Its row.
    #[serde(flatten)]
    pub record: JobRecord,
    /// Time left at the present pace of a running job.
    pub eta_seconds: Option<f64>,
    /// Place in the queue, from 1; null if the job is not queued or more than 1,000 jobs are before it.
    pub queue_position: Option<i64>,
    /// Why a queued job waits; null in events and in the answers to submissions and imports.
    pub why_queued: Option<String>,
    /// Warning about a running job, for example that its runner has been silent for long.
    pub trouble: Option<String>,
    /// Device of its last attempt.
    pub device: Option<String>,
    /// Last test error in percent of a job that has succeeded.
    pub test_error: Option<f64>,
    /// Last mean energy of a job that has succeeded.
    pub energy: Option<f64>,
    /// Wall time of a job that has succeeded.
    pub seconds: Option<f64>,
}

/// One lease of a job by a worker.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// Its number, from 1.
    #[schema(value_type = i64)]
    pub number: AttemptNumber,
    /// Id of the worker.
    #[schema(value_type = i64)]
    pub worker_id: WorkerId,
    /// `cpu`, `cuda:0`, ...
    pub device: String,
    /// The engine that lent the machine of the worker; null for a worker that a person started.
    pub engine: Option<Engine>,
    /// The engine's id for the job that ran the worker.
    pub engine_job: Option<String>,
    /// The engine's name of the machine.
    pub node: Option<String>,
    /// Versions, device and threads, once training has begun.
    pub environment: Option<Environment>,
    /// Completed updates when it began: those of the checkpoint that it continued from.
    pub start_step: i64,
    /// When the job was claimed.
    pub started_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// What went wrong, in a sentence.
    pub error: Option<String>,
}
