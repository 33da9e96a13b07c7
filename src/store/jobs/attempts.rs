//! Attempts at jobs.

use optlab_domain::database::JsonText;
use optlab_domain::time::as_rfc3339;
use optlab_domain::{AttemptNumber, EndReason, ExperimentId, JobId, WorkerId};
use optlab_spec::protocol::Environment;
use serde::{Deserialize, Serialize};
use sqlx_macros::FromRow;

use crate::store::database::{Connect, sql};
use crate::store::jobs::begun;
use crate::store::{Origin, Store, StoreError};

/// One lease of a job by a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromRow)]
pub struct Attempt {
    /// From 1.
    pub number: AttemptNumber,
    /// Id of the worker on its server.
    #[serde(skip, default = "elsewhere")]
    pub worker_id: WorkerId,
    /// Host and process of the worker.
    pub worker: String,
    /// Where the machine of the worker comes from.
    #[sqlx(flatten)]
    #[serde(skip)]
    pub origin: Origin,
    /// `cpu`, `cuda:0`, ...
    pub device: String,
    /// Versions, device and threads, once it had begun.
    pub environment: Option<JsonText<Environment>>,
    /// Completed updates when it began.
    pub start_step: i64,
    /// When it was claimed, milliseconds since the epoch.
    #[serde(rename = "started_at", with = "as_rfc3339")]
    pub started_ms: i64,
    /// When it ended.
    #[serde(rename = "ended_at", with = "as_rfc3339::option")]
    pub ended_ms: Option<i64>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// What went wrong, in a sentence.
    pub error: Option<String>,
    /// Wall time of a complete run.
    pub seconds: Option<f64>,
}

/// Stands for the worker of an attempt that is read from a file: no worker here has this id.
fn elsewhere() -> WorkerId {
    WorkerId::from(0)
}

#[derive(FromRow)]
struct AttemptOfJob {
    job_id: JobId,
    #[sqlx(flatten)]
    attempt: Attempt,
}

/// All the columns of [`AttemptOfJob`], from a table `a` of attempts.
macro_rules! select_attempts {
    ($($rest:expr),+) => {
        concat!(
            "SELECT a.job_id, a.number, a.worker_id, w.name AS worker, a.device, a.environment, a.start_step, a.started_ms,
                a.ended_ms, a.end_reason, a.error, a.seconds, w.engine, w.engine_job, w.node, w.pool, w.until_ms
             FROM attempts a JOIN workers w ON w.id = a.worker_id ",
            $($rest),+
        )
    };
}

impl Store {
    /// The attempts of a job, the oldest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn attempts(&self, job: JobId) -> Result<Vec<Attempt>, StoreError> {
        self.job(job).await?;
        sql(select_attempts!("WHERE a.job_id = $1 ORDER BY a.number"))
            .bind(job)
            .fetch_all(&mut self.read().await?)
            .await
    }
}

/// The attempts of the jobs of an experiment, each with its job.
pub(in crate::store) async fn attempts_of_experiment(
    on: &mut impl Connect,
    experiment: ExperimentId,
) -> Result<Vec<(JobId, Attempt)>, StoreError> {
    let rows: Vec<AttemptOfJob> = sql(select_attempts!(
        "JOIN jobs j ON j.id = a.job_id WHERE j.experiment_id = $1 AND ",
        begun!(),
        " ORDER BY a.job_id, a.number"
    ))
    .bind(experiment)
    .fetch_all(on)
    .await?;
    Ok(rows.into_iter().map(|row| (row.job_id, row.attempt)).collect())
}
