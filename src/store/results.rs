//! What jobs ended with, and what a fair comparison must know besides.

use std::collections::HashMap;

use async_trait::async_trait;
use optlab_domain::{EndReason, JobState};
use optlab_spec::protocol::Environment;

use super::StoreError;

/// A job with its final figures, which are there once it has succeeded.
#[derive(Clone, Debug, PartialEq)]
pub struct JobFigures {
    /// Its id.
    pub job_id: i64,
    /// The arm's name.
    pub arm: String,
    /// The job's seed.
    pub seed: i64,
    /// Where it is in its life.
    pub state: JobState,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// What went wrong, in a sentence.
    pub error: Option<String>,
    /// Of the last evaluation, in percent.
    pub test_accuracy: Option<f64>,
    /// Of the evaluation that was best on the test set itself.
    pub best_test_accuracy: Option<f64>,
    /// Last mean energy.
    pub energy: Option<f64>,
    /// Wall time of the run.
    pub seconds: Option<f64>,
    /// Of the runner, on a CPU.
    pub peak_memory_bytes: Option<i64>,
    /// Numbers that the optimizer stepped.
    pub parameters_trained: Option<i64>,
}

/// The last evaluations of a job that succeeded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LastEvaluations {
    /// How many of them are stored: curves may be thin.
    pub n: i64,
    /// Completed updates at the first of them.
    pub first_step: i64,
    /// Mean test accuracy, in percent.
    pub test_accuracy: f64,
}

/// What can be asked about results.
#[async_trait]
pub trait Results: Send + Sync {
    /// Every job of the experiment, by arm in the order of the spec, then by seed.
    async fn figures(&self, experiment: i64) -> Result<Vec<JobFigures>, StoreError>;

    /// At most `last` evaluations of each job that succeeded, by the id of the job.
    async fn last_evaluations(
        &self,
        experiment: i64,
        last: i64,
    ) -> Result<HashMap<i64, LastEvaluations>, StoreError>;

    /// Where each job that has begun was trained, by its id: of the attempts that its curve comes from, the first one first.
    async fn environments(&self, experiment: i64) -> Result<HashMap<i64, Vec<Environment>>, StoreError>;
}
