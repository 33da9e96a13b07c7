//! The queue: tables `jobs` and `attempts` as workers write them.

use async_trait::async_trait;
use optlab_spec::JobSpec;
use optlab_spec::protocol::{EndReason, Environment, Failure, Point};
use sqlx::{FromRow, SqliteConnection};

use super::ends::{End, close_attempt, close_job, ended_before, lose};
use super::metrics::insert_points;
use super::{Sqlite, next_version};
use crate::store::{AttemptEnd, Claim, JobState, Lease, Queue, Slot, StoreError, Wish};

#[derive(FromRow)]
struct ClaimedRow {
    id: i64,
    attempt: i64,
    experiment_id: i64,
    spec: String,
    time_limit_seconds: i64,
}

#[async_trait]
impl Queue for Sqlite {
    async fn claim(&self, slot: &Slot, lease_ms: i64) -> Result<Option<Claim>, StoreError> {
        // Most calls find nothing: they must not wait for the one writer.
        let waiting: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM jobs WHERE state = 'queued' AND device_wanted IN ('any', $1) LIMIT 1",
        )
        .bind(slot.device_kind())
        .fetch_optional(&self.readers)
        .await?;
        if waiting.is_none() {
            return Ok(None);
        }
        let now = self.clock.now_ms();
        let mut tx = self.begin().await?;
        let version = next_version(&mut tx).await?;
        let row: Option<ClaimedRow> = sqlx::query_as(
            "UPDATE jobs
             SET state = 'running', worker_id = $1, lease_until_ms = $3, attempt = attempt + 1, step = 0,
                 started_ms = $4, ended_ms = NULL, end_reason = NULL, error = NULL, version = $5
             WHERE id = (
                 SELECT id FROM jobs WHERE state = 'queued' AND device_wanted IN ('any', $2)
                 ORDER BY priority DESC, id LIMIT 1
             )
             RETURNING id, attempt, experiment_id, spec, time_limit_seconds",
        )
        .bind(slot.worker)
        .bind(slot.device_kind())
        .bind(now + lease_ms)
        .bind(now)
        .bind(version)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let lease = Lease { job: row.id, attempt: row.attempt };
        sqlx::query(
            "INSERT INTO attempts (job_id, number, worker_id, device, started_ms) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(row.id)
        .bind(row.attempt)
        .bind(slot.worker)
        .bind(&slot.device)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        let claim = read_spec(&row.spec).map(|spec| Claim {
            lease,
            experiment_id: row.experiment_id,
            spec,
            time_limit_seconds: row.time_limit_seconds,
        });
        if let Err(error) = &claim {
            // Nobody could run it: an end says so, where waiting would not.
            let end = End::of(EndReason::UserError, &error.to_string());
            close_attempt(&mut tx, lease, &end, now).await?;
            close_job(&mut tx, lease, JobState::Failed, Some(&end), now).await?;
        }
        self.commit(tx).await?;
        claim.map(Some)
    }

    async fn start(&self, lease: Lease, environment: &Environment, steps: u64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        check(&mut tx, lease).await?;
        let version = next_version(&mut tx).await?;
        sqlx::query("DELETE FROM metric_points WHERE job_id = $1").bind(lease.job).execute(&mut *tx).await?;
        sqlx::query("UPDATE jobs SET step = 0, steps = $2, version = $3 WHERE id = $1")
            .bind(lease.job)
            .bind(steps as i64)
            .bind(version)
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE attempts SET environment = $3 WHERE job_id = $1 AND number = $2")
            .bind(lease.job)
            .bind(lease.attempt)
            .bind(serde_json::to_string(environment)?)
            .execute(&mut *tx)
            .await?;
        self.commit(tx).await
    }

    async fn record(
        &self,
        lease: Lease,
        points: &[Point],
        step: Option<u64>,
        lease_ms: i64,
    ) -> Result<Option<Wish>, StoreError> {
        let mut tx = self.begin().await?;
        check(&mut tx, lease).await?;
        insert_points(&mut tx, lease.job, points).await?;
        let version = next_version(&mut tx).await?;
        let requested: Option<String> = sqlx::query_scalar(
            "UPDATE jobs SET lease_until_ms = $2, step = coalesce($3, step), version = $4 WHERE id = $1
             RETURNING requested",
        )
        .bind(lease.job)
        .bind(self.clock.now_ms() + lease_ms)
        .bind(step.map(|step| step as i64))
        .bind(version)
        .fetch_one(&mut *tx)
        .await?;
        self.commit(tx).await?;
        Ok(requested.filter(|wish| wish == "cancel").map(|_| Wish::Cancel))
    }

    async fn end(&self, lease: Lease, end: AttemptEnd) -> Result<JobState, StoreError> {
        let mut tx = self.begin().await?;
        let now = self.clock.now_ms();
        // Where the job goes from here; `None` is for another try.
        let (outcome, state) = match &end {
            AttemptEnd::Finished(summary) => (End::completed(summary.seconds), Some(JobState::Succeeded)),
            AttemptEnd::Failed(Failure { reason: EndReason::Cancelled, error, .. }) => {
                (End::of(EndReason::Cancelled, error), Some(JobState::Cancelled))
            }
            AttemptEnd::Failed(failure) => (End::of(failure.reason, &failure.error), Some(JobState::Failed)),
            AttemptEnd::Crashed(error) => (End::of(EndReason::RunnerCrashed, error), None),
            AttemptEnd::HandedBack => (End::handed_back(), None),
        };
        if check(&mut tx, lease).await.is_err() {
            return ended_before(&mut tx, lease, outcome.reason).await;
        }
        match &end {
            AttemptEnd::Finished(summary) => {
                sqlx::query("UPDATE jobs SET step = steps, parameters_trained = $2 WHERE id = $1")
                    .bind(lease.job)
                    .bind(summary.parameters_trained as i64)
                    .execute(&mut *tx)
                    .await?;
            }
            AttemptEnd::HandedBack => {
                sqlx::query("UPDATE jobs SET attempts_before = attempts_before + 1 WHERE id = $1")
                    .bind(lease.job)
                    .execute(&mut *tx)
                    .await?;
            }
            AttemptEnd::Failed(_) | AttemptEnd::Crashed(_) => {}
        }
        let state = match state {
            None => lose(&mut tx, lease, &outcome, now).await?,
            Some(state) => {
                close_attempt(&mut tx, lease, &outcome, now).await?;
                close_job(&mut tx, lease, state, Some(&outcome), now).await?
            }
        };
        self.commit(tx).await?;
        Ok(state)
    }

    async fn write_nothing(&self) -> Result<(), StoreError> {
        // Immediate: it has the file to itself for a moment.
        Ok(self.begin().await?.rollback().await?)
    }

    async fn reap(&self) -> Result<Vec<Lease>, StoreError> {
        let now = self.clock.now_ms();
        let over: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM jobs WHERE state = 'running' AND lease_until_ms < $1 LIMIT 1")
                .bind(now)
                .fetch_optional(&self.readers)
                .await?;
        if over.is_none() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        let lost: Vec<(i64, i64)> =
            sqlx::query_as("SELECT id, attempt FROM jobs WHERE state = 'running' AND lease_until_ms < $1")
                .bind(now)
                .fetch_all(&mut *tx)
                .await?;
        let lost: Vec<Lease> = lost.into_iter().map(|(job, attempt)| Lease { job, attempt }).collect();
        for &lease in &lost {
            let end = End::of(EndReason::WorkerLost, "the worker was not heard of until its lease was over");
            lose(&mut tx, lease, &end, now).await?;
        }
        self.commit(tx).await?;
        Ok(lost)
    }
}

/// The fence: whoever is not the running attempt of the job can write nothing.
async fn check(tx: &mut SqliteConnection, lease: Lease) -> Result<(), StoreError> {
    let holds: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM jobs WHERE id = $1 AND attempt = $2 AND state = 'running'")
            .bind(lease.job)
            .bind(lease.attempt)
            .fetch_optional(tx)
            .await?;
    holds.map(|_| ()).ok_or(StoreError::LeaseLost { job: lease.job, attempt: lease.attempt })
}

fn read_spec(spec: &str) -> Result<JobSpec, StoreError> {
    Ok(JobSpec::from_stored(&serde_json::from_str(spec)?)?)
}
