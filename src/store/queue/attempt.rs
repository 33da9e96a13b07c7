//! The writes of an attempt, from its start to its end.

use optlab_domain::{EndReason, JobId, JobState, Lease, Request};
use optlab_spec::protocol::{Environment, Point, Summary};

use super::ends::{End, close, ended_before};
use super::fence::check;
use super::record::{Held, Record};
use crate::store::artifacts::{forget_checkpoints_after, insert_artifact};
use crate::store::curves::{condense, condense_job, truncate};
use crate::store::database::{Database, Transaction, sql};
use crate::store::results::insert_result;
use crate::store::version::next_version;
use crate::store::{Artifact, AttemptEnd, CompleteRun, Store, StoreError};

impl Store {
    /// The runner has begun after `step` completed updates. Later points of earlier attempts are deleted, so that
    /// curves never mix two trajectories. The rows of later checkpoints are deleted too, because the points before them
    /// are gone and no attempt may resume from them. Returns those checkpoints, so that the caller can delete their
    /// bytes.
    pub async fn start(
        &self,
        lease: Lease,
        environment: &Environment,
        step: u64,
        steps: u64,
    ) -> Result<Vec<Artifact>, StoreError> {
        let mut tx = self.begin_under(lease).await?;
        let version = next_version(&mut tx).await?;
        let forgotten = forget_checkpoints_after(&mut tx, lease.job, step as i64).await?;
        truncate(&mut tx, lease.job, step as i64).await?;
        // The new attempt also repeats the measurement at step 0.
        sql("DELETE FROM metric_points WHERE job_id = $1 AND (step > $2 OR $2 = 0)")
            .bind(lease.job)
            .bind(step as i64)
            .execute(&mut tx)
            .await?;
        sql("UPDATE jobs SET step = $2, steps = $3, version = $4 WHERE id = $1")
            .bind(lease.job)
            .bind(step as i64)
            .bind(steps as i64)
            .bind(version)
            .execute_one(&mut tx)
            .await?;
        sql("UPDATE attempts SET environment = $3, start_step = $4 WHERE job_id = $1 AND number = $2")
            .bind(lease.job)
            .bind(lease.attempt)
            .bind(serde_json::to_string(environment)?)
            .bind(step as i64)
            .execute_one(&mut tx)
            .await?;
        self.commit(tx).await?;
        Ok(forgotten)
    }

    /// Stores points, all or none, and the step, and renews the lease; also without points.
    pub async fn record(
        &self,
        lease: Lease,
        points: &[Point],
        step: Option<u64>,
        lease_ms: i64,
    ) -> Result<Option<Request>, StoreError> {
        let series_ids = self.series_ids(points).await?;
        let record = Record { lease, points, series_ids, step, lease_ms, now_ms: self.given_time() };
        let held = match self.database {
            Database::Sqlite(_) => {
                let mut tx = self.begin().await?;
                let held = record.write_rows(&mut tx).await?;
                self.commit(tx).await?;
                held
            }
            Database::Postgres(_) => {
                let held = record.write_at_once(&mut self.read().await?).await?;
                self.report_change();
                held
            }
        };
        let Some(Held { requested }) = held else {
            self.uncondensed.forget(lease.job);
            return Err(StoreError::LeaseLost(lease));
        };
        self.activity.points.inc_by(points.len() as u64);
        self.condense_if_long(lease, &record.series_ids).await;
        Ok(requested)
    }

    /// Sets or clears the warning about a running attempt.
    pub async fn remark(&self, lease: Lease, trouble: Option<&str>) -> Result<(), StoreError> {
        let mut tx = self.begin_under(lease).await?;
        let version = next_version(&mut tx).await?;
        sql("UPDATE attempts SET error = $3 WHERE job_id = $1 AND number = $2")
            .bind(lease.job)
            .bind(lease.attempt)
            .bind(trouble)
            .execute_one(&mut tx)
            .await?;
        sql("UPDATE jobs SET version = $2 WHERE id = $1")
            .bind(lease.job)
            .bind(version)
            .execute_one(&mut tx)
            .await?;
        self.commit(tx).await
    }

    /// Adds the row of a file of the job whose bytes are stored. A row of the same name is replaced.
    pub async fn add_artifact(&self, lease: Lease, artifact: &Artifact) -> Result<(), StoreError> {
        let mut tx = self.begin_under(lease).await?;
        let now = self.now(&mut tx).await?;
        insert_artifact(&mut tx, lease.job, artifact, now).await?;
        self.commit(tx).await
    }

    /// Ends the attempt; returns the new state of its job. A repeated end is not written again.
    pub async fn end(&self, lease: Lease, end: AttemptEnd) -> Result<JobState, StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let mut outcome = End::from(&end);
        match check(&mut tx, lease).await {
            Err(StoreError::LeaseLost { .. }) => {
                let ended = ended_before(&mut tx, lease, &outcome).await;
                tx.rollback().await?;
                // The end may stand in a file that the next process will not open.
                self.database.check_files()?;
                return ended;
            }
            checked => checked?,
        }
        let expected: &[_] = match &end {
            AttemptEnd::Finished(CompleteRun { points, .. }) | AttemptEnd::AtRung { points, .. } => points,
            AttemptEnd::Failed(_) | AttemptEnd::HandedBack => &[],
        };
        let missing = missing_points(&mut tx, lease.job, expected).await?;
        if let Some(error) = &missing {
            // Only a bug of this program can lose points. The job is trained again.
            forget_checkpoints_after(&mut tx, lease.job, 0).await?;
            outcome = End::of(EndReason::RunnerCrashed, error);
        } else if let AttemptEnd::Finished(run) = &end {
            complete(&mut tx, lease.job, &run.summary).await?;
        }
        self.uncondensed.forget(lease.job);
        let state = close(&mut tx, lease, &outcome, now).await?;
        if let (AttemptEnd::AtRung { step, .. }, None) = (&end, missing) {
            wait_at_rung(&mut tx, lease.job, *step).await?;
        }
        match state {
            JobState::Queued => self.commit_queued(tx).await?,
            _ => self.commit(tx).await?,
        }
        if state.has_ended() || matches!(end, AttemptEnd::AtRung { .. }) {
            self.try_to_choose(Some(lease.job)).await;
        }
        Ok(state)
    }
}

impl Store {
    /// Condenses curves after points were recorded. If that fails, they are condensed with later points.
    async fn condense_if_long(&self, lease: Lease, series: &[i64]) {
        let long = self.uncondensed.count(lease.job, series);
        if long.is_empty() {
            return;
        }
        let condensed = async {
            let mut tx = self.begin_under(lease).await?;
            for series in long {
                condense(&mut tx, lease.job, series).await?;
            }
            self.commit_silently(tx).await
        };
        if let Err(error) = condensed.await {
            tracing::debug!(%error, job.id = %lease.job, "curves are not condensed yet");
        }
    }
}

/// Stores the final figures of a complete run.
async fn complete(tx: &mut Transaction, job: JobId, summary: &Summary) -> Result<(), StoreError> {
    sql("UPDATE jobs SET step = steps, parameters_trained = $2 WHERE id = $1")
        .bind(job)
        .bind(summary.parameters_trained as i64)
        .execute_one(tx)
        .await?;
    condense_job(tx, job).await?;
    insert_result(tx, job, summary.peak_memory_bytes).await
}

/// Lets the job wait for the other trials of its arm, unless a person has cancelled it.
async fn wait_at_rung(tx: &mut Transaction, job: JobId, step: u64) -> Result<(), StoreError> {
    sql("UPDATE jobs SET waits_at = $2 WHERE id = $1 AND state IN ('queued', 'paused')")
        .bind(job)
        .bind(step as i64)
        .execute(tx)
        .await?;
    Ok(())
}

/// An error that names the first series with fewer points than are expected.
async fn missing_points(
    tx: &mut Transaction,
    job: JobId,
    expected: &[(&'static str, u64)],
) -> Result<Option<String>, StoreError> {
    for &(series, expected) in expected {
        let stored = sql("SELECT count(*) FROM metric_points p JOIN series s ON s.id = p.series_id
             WHERE p.job_id = $1 AND s.name = $2")
        .bind(job)
        .bind(series)
        .fetch_number(tx)
        .await?;
        if stored < expected as i64 {
            return Ok(Some(format!(
                "{series} has {stored} of {expected} points at the end of the attempt; the job starts again at step 0"
            )));
        }
    }
    Ok(None)
}
