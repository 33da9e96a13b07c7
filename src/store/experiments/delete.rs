//! Deletion of an experiment with everything that belongs to it.

use optlab_domain::{ExperimentId, JobId, counted};

use crate::store::database::{Transaction, locked, sql};
use crate::store::jobs::lock;
use crate::store::version::{next_version, settled_version};
use crate::store::{NotFound, Store, StoreError};

/// Keeps the number of ended attempts, which a counter of `/metrics` reports. $1: experiment.
const COUNT_ATTEMPTS: &str = "INSERT INTO deleted_attempts (end_reason, number)
     SELECT a.end_reason, count(*) FROM attempts a JOIN jobs j ON j.id = a.job_id
     WHERE j.experiment_id = $1 AND a.end_reason IS NOT NULL GROUP BY a.end_reason
     ON CONFLICT (end_reason) DO UPDATE SET number = deleted_attempts.number + excluded.number";

/// The rows of an experiment, each before the rows that it refers to. $1: experiment.
const DELETIONS: [&str; 10] = [
    "DELETE FROM curve_blocks WHERE job_id IN (SELECT id FROM jobs WHERE experiment_id = $1)",
    "DELETE FROM condensed_curves WHERE job_id IN (SELECT id FROM jobs WHERE experiment_id = $1)",
    "DELETE FROM metric_points WHERE job_id IN (SELECT id FROM jobs WHERE experiment_id = $1)",
    "DELETE FROM results WHERE job_id IN (SELECT id FROM jobs WHERE experiment_id = $1)",
    "DELETE FROM artifacts WHERE job_id IN (SELECT id FROM jobs WHERE experiment_id = $1)",
    "DELETE FROM attempts WHERE job_id IN (SELECT id FROM jobs WHERE experiment_id = $1)",
    "DELETE FROM jobs WHERE experiment_id = $1",
    "DELETE FROM tunings WHERE experiment_id = $1",
    "DELETE FROM submissions WHERE experiment_id = $1",
    "DELETE FROM experiments WHERE id = $1",
];

impl Store {
    /// Deletes the experiment with the id `id` and the name `name`, its jobs and all of their rows, in one transaction.
    /// The files of its jobs stay until the sweeper finds the jobs among the deleted ones.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] if it has another name or a running job.
    pub async fn delete_experiment(&self, id: ExperimentId, name: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        match delete(&mut tx, id, name).await {
            Ok(jobs) => {
                self.commit(tx).await?;
                jobs.into_iter().for_each(|job| self.uncondensed.forget(job));
                Ok(())
            }
            Err(error) => {
                // A dropped transaction ends later, and claims skip locked jobs.
                tx.rollback().await?;
                Err(error)
            }
        }
    }

    /// Whether the job existed in this database and was deleted.
    pub async fn was_deleted(&self, job: JobId) -> Result<bool, StoreError> {
        let deleted = sql("SELECT count(*) FROM deleted_jobs WHERE job_id = $1").bind(job);
        Ok(deleted.fetch_number(&mut self.read().await?).await? > 0)
    }

    /// Experiments that were deleted since `version`, each with the version of its deletion, the oldest first.
    pub async fn deleted_since(&self, version: i64) -> Result<Vec<(ExperimentId, i64)>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let settled = settled_version(&mut snapshot).await?;
        let deleted = sql("SELECT DISTINCT experiment_id, version FROM deleted_jobs
             WHERE version > $1 AND version <= $2 ORDER BY version")
        .bind(version)
        .bind(settled)
        .fetch_all(&mut snapshot)
        .await?;
        snapshot.rollback().await?;
        Ok(deleted)
    }
}

/// Returns the deleted jobs.
async fn delete(tx: &mut Transaction, id: ExperimentId, name: &str) -> Result<Vec<JobId>, StoreError> {
    // Locked first, so that no jobs are added meanwhile.
    let found: Option<(String,)> =
        locked!("SELECT name FROM experiments WHERE id = $1").bind(id).fetch_optional(tx).await?;
    let (found,) = found.ok_or(NotFound::Experiment(id))?;
    if found != name {
        return Err(StoreError::Conflict(format!("experiment {id} has the name `{found}`, not `{name}`")));
    }
    lock(tx, id).await?;
    let running = sql("SELECT count(*) FROM jobs WHERE experiment_id = $1 AND state = 'running'");
    let running = running.bind(id).fetch_number(tx).await?;
    if running > 0 {
        return Err(StoreError::Conflict(format!(
            "experiment {id} has {}; cancel it and wait until no job runs, then delete it",
            counted(running, "running job")
        )));
    }
    let version = next_version(tx).await?;
    let jobs: Vec<(JobId,)> = sql("INSERT INTO deleted_jobs (job_id, experiment_id, version)
         SELECT id, experiment_id, $2 FROM jobs WHERE experiment_id = $1 RETURNING job_id")
    .bind(id)
    .bind(version)
    .fetch_all(tx)
    .await?;
    sql(COUNT_ATTEMPTS).bind(id).execute(tx).await?;
    for statement in DELETIONS {
        sql(statement).bind(id).execute(tx).await?;
    }
    Ok(jobs.into_iter().map(|(job,)| job).collect())
}
