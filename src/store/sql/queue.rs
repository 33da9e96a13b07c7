//! The queue: tables `jobs` and `attempts` as workers write them.

use async_trait::async_trait;
use optlab_domain::lifecycle;
use optlab_domain::{EndReason, JobState, Request};
use optlab_spec::protocol::{Environment, Point, Summary};

use super::artifacts::{forget_checkpoints_after, insert_artifact};
use super::curves::{condense, condense_job, cut};
use super::ends::{End, close, ended_before};
use super::record::{Held, Record};
use super::results::insert_result;
use super::statement::{Statement, Transaction, sql};
use super::word::Word;
use super::{Database, SqlStore, next_version};
use crate::store::{Artifact, AttemptEnd, Claim, Lease, Queue, Slot, StoreError, Worker};

/// Longer than any lease, with a margin of one minute for a claim that is in progress.
const LONGEST_LEASE_MS: i64 = 1000 * (Claim::LONGEST_LEASE_SECONDS as i64 + 60);

/// Selects the jobs that nobody runs. Their lease has expired, or it ends later than any lease can, because a wrong
/// clock wrote it, or a cancel request is pending and their worker is gone. $1: now; $2: latest end of a lease; $3 and
/// $4: [`Worker::heard_of`].
macro_rules! abandoned {
    () => {
        "state = 'running' AND (lease_until_ms NOT BETWEEN $1 AND $2 OR requested = 'cancel' AND EXISTS (
             SELECT 1 FROM workers w
             WHERE w.id = jobs.worker_id
               AND (w.ended_ms IS NOT NULL OR w.last_seen_ms NOT BETWEEN $3 AND $4)
         ))"
    };
}

impl Statement {
    /// Binds the parameters of [`abandoned`].
    fn abandoned_at(self, now: i64) -> Self {
        let (earliest, latest) = Worker::heard_of(now);
        self.bind(now).bind(now + LONGEST_LEASE_MS).bind(earliest).bind(latest)
    }
}

#[async_trait]
impl Queue for SqlStore {
    async fn claim(&self, slot: &Slot, lease_ms: i64) -> Result<Option<Claim>, StoreError> {
        self.claim_for(slot, lease_ms).await
    }

    async fn start(
        &self,
        lease: Lease,
        environment: &Environment,
        step: u64,
        steps: u64,
    ) -> Result<Vec<Artifact>, StoreError> {
        let mut tx = self.begin_under(lease).await?;
        let version = next_version(&mut tx).await?;
        let forgotten = forget_checkpoints_after(&mut tx, lease.job, step as i64).await?;
        cut(&mut tx, lease.job, step as i64).await?;
        // The measurement at step 0 is the new attempt's own too.
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
            .execute(&mut tx)
            .await?;
        sql("UPDATE attempts SET environment = $3, start_step = $4 WHERE job_id = $1 AND number = $2")
            .bind(lease.job)
            .bind(lease.attempt)
            .bind(serde_json::to_string(environment)?)
            .bind(step as i64)
            .execute(&mut tx)
            .await?;
        self.commit(tx).await?;
        Ok(forgotten)
    }

    async fn record(
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
                self.tell_change();
                held
            }
        };
        let Some(Held { requested }) = held else {
            self.uncondensed.forget(lease.job);
            return Err(StoreError::LeaseLost { job: lease.job, attempt: lease.attempt });
        };
        self.activity.points.inc_by(points.len() as u64);
        self.condense_if_long(lease, &record.series_ids).await;
        Ok(requested.map(|request| request.0))
    }

    async fn remark(&self, lease: Lease, trouble: Option<&str>) -> Result<(), StoreError> {
        let mut tx = self.begin_under(lease).await?;
        let version = next_version(&mut tx).await?;
        sql("UPDATE attempts SET error = $3 WHERE job_id = $1 AND number = $2")
            .bind(lease.job)
            .bind(lease.attempt)
            .bind(trouble)
            .execute(&mut tx)
            .await?;
        sql("UPDATE jobs SET version = $2 WHERE id = $1")
            .bind(lease.job)
            .bind(version)
            .execute(&mut tx)
            .await?;
        self.commit(tx).await
    }

    async fn add_artifact(&self, lease: Lease, artifact: &Artifact) -> Result<(), StoreError> {
        let mut tx = self.begin_under(lease).await?;
        let now = self.now(&mut tx).await?;
        insert_artifact(&mut tx, lease.job, artifact, now).await?;
        self.commit(tx).await
    }

    async fn end(&self, lease: Lease, end: AttemptEnd) -> Result<JobState, StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let mut outcome = End::from(&end);
        match check(&mut tx, lease).await {
            Err(StoreError::LeaseLost { .. }) => {
                let ended = ended_before(&mut tx, lease, &outcome).await;
                tx.rollback().await?;
                return ended;
            }
            checked => checked?,
        }
        if let AttemptEnd::Finished(run) = &end {
            match missing_points(&mut tx, lease.job, &run.points).await? {
                None => complete(&mut tx, lease.job, &run.summary).await?,
                // Only a bug of this program can lose points. The job is trained again.
                Some(error) => {
                    forget_checkpoints_after(&mut tx, lease.job, 0).await?;
                    outcome = End::of(EndReason::RunnerCrashed, &error);
                }
            }
        }
        self.uncondensed.forget(lease.job);
        let state = close(&mut tx, lease, &outcome, now).await?;
        match state {
            JobState::Queued => self.commit_queued(tx).await?,
            _ => self.commit(tx).await?,
        }
        Ok(state)
    }

    async fn try_to_write(&self) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        // A transaction without a change would succeed even on a full disk. This one writes a page in SQLite, a row in
        // Postgres.
        sql("INSERT INTO settings (name, value) VALUES ('last_write_check', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(now.to_string())
        .execute(&mut tx)
        .await?;
        self.commit_in_silence(tx).await
    }

    async fn reap(&self) -> Result<Vec<Lease>, StoreError> {
        let mut reader = self.read().await?;
        let now = self.now(&mut reader).await?;
        let over: Option<(i64,)> = sql(concat!("SELECT id FROM jobs WHERE ", abandoned!(), " LIMIT 1"))
            .abandoned_at(now)
            .fetch_optional(&mut reader)
            .await?;
        drop(reader);
        if over.is_none() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        let lost: Vec<(i64, i64)> =
            sql(concat!("SELECT id, attempt FROM jobs WHERE ", abandoned!(), " ORDER BY id"))
                .abandoned_at(now)
                .for_update_of_free_rows()
                .fetch_all(&mut tx)
                .await?;
        let lost: Vec<Lease> = lost.into_iter().map(|(job, attempt)| Lease { job, attempt }).collect();
        for &lease in &lost {
            let end = End::of(EndReason::WorkerLost, "the worker was not heard of until its lease was over");
            close(&mut tx, lease, &end, now).await?;
        }
        self.commit_queued(tx).await?;
        Ok(lost)
    }
}

impl SqlStore {
    /// A transaction of the running attempt of a job, which is nobody else's until it ends.
    async fn begin_under(&self, lease: Lease) -> Result<Transaction, StoreError> {
        let mut tx = self.begin().await?;
        if let Err(error) = check(&mut tx, lease).await {
            // A dropped transaction ends later, and claims pass over jobs that are locked.
            tx.rollback().await?;
            return Err(error);
        }
        Ok(tx)
    }

    /// After points were recorded. What cannot be condensed now is condensed with the points to come.
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
            self.commit_in_silence(tx).await
        };
        if let Err(error) = condensed.await {
            tracing::debug!(%error, job.id = lease.job, "curves are not condensed yet");
        }
    }
}

/// Stores the final figures of a complete run.
async fn complete(tx: &mut Transaction, job: i64, summary: &Summary) -> Result<(), StoreError> {
    sql("UPDATE jobs SET step = steps, parameters_trained = $2 WHERE id = $1")
        .bind(job)
        .bind(summary.parameters_trained as i64)
        .execute(tx)
        .await?;
    condense_job(tx, job).await?;
    insert_result(tx, job, summary).await
}

/// An error that names the first series with fewer points than a complete run records.
async fn missing_points(
    tx: &mut Transaction,
    job: i64,
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
                "the run is complete but {series} has {stored} of {expected} points; the job starts again at step 0"
            )));
        }
    }
    Ok(None)
}

/// The fence: whoever is not the running attempt of the job can write nothing. Holds the job until the transaction ends.
async fn check(tx: &mut Transaction, lease: Lease) -> Result<(), StoreError> {
    let job: Option<(Word<JobState>, i64)> = sql("SELECT state, attempt FROM jobs WHERE id = $1")
        .bind(lease.job)
        .for_update()
        .fetch_optional(tx)
        .await?;
    let holds = job.is_some_and(|(state, attempts)| lifecycle::may_write(lease.attempt, state.0, attempts));
    holds.then_some(()).ok_or(StoreError::LeaseLost { job: lease.job, attempt: lease.attempt })
}
