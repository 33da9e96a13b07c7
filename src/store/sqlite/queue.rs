//! The queue: tables `jobs` and `attempts` as workers write them.

use async_trait::async_trait;
use optlab_spec::protocol::{EndReason, Environment, Point};
use sqlx::{FromRow, SqliteConnection};

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

/// What decides whether a job whose attempt was lost is tried again.
#[derive(FromRow)]
struct Budget {
    attempts_used: i64,
    max_attempts: i64,
    requested: Option<String>,
}

/// The columns of a job that an end sets.
struct JobEnd<'a> {
    state: JobState,
    reason: Option<EndReason>,
    error: Option<&'a str>,
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
        self.commit(tx).await?;
        Ok(Some(Claim {
            lease: Lease { job: row.id, attempt: row.attempt },
            experiment_id: row.experiment_id,
            spec: serde_json::from_str(&row.spec)?,
            time_limit_seconds: row.time_limit_seconds,
        }))
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
        check(&mut tx, lease).await?;
        let now = self.clock.now_ms();
        let state = match end {
            AttemptEnd::Finished(summary) => {
                let end =
                    JobEnd { state: JobState::Succeeded, reason: Some(EndReason::Completed), error: None };
                close_attempt(&mut tx, lease, EndReason::Completed, None, Some(summary.seconds), now).await?;
                sqlx::query("UPDATE jobs SET step = steps, parameters_trained = $2 WHERE id = $1")
                    .bind(lease.job)
                    .bind(summary.parameters_trained as i64)
                    .execute(&mut *tx)
                    .await?;
                close_job(&mut tx, lease, end, now).await?
            }
            AttemptEnd::Failed(failure) => {
                let state = if failure.reason == EndReason::Cancelled {
                    JobState::Cancelled
                } else {
                    JobState::Failed
                };
                let error = (state == JobState::Failed).then_some(failure.error.as_str());
                close_attempt(&mut tx, lease, failure.reason, error, None, now).await?;
                close_job(&mut tx, lease, JobEnd { state, reason: Some(failure.reason), error }, now).await?
            }
            AttemptEnd::Crashed(error) => lose(&mut tx, lease, EndReason::RunnerCrashed, &error, now).await?,
            AttemptEnd::HandedBack => {
                sqlx::query("UPDATE jobs SET attempts_before = attempts_before + 1 WHERE id = $1")
                    .bind(lease.job)
                    .execute(&mut *tx)
                    .await?;
                lose(&mut tx, lease, EndReason::WorkerLost, "the worker stopped", now).await?
            }
        };
        self.commit(tx).await?;
        Ok(state)
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
            let error = "the worker was not heard of until its lease was over";
            lose(&mut tx, lease, EndReason::WorkerLost, error, now).await?;
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

/// Ends an attempt without result: the job waits again while its budget lasts.
async fn lose(
    tx: &mut SqliteConnection,
    lease: Lease,
    reason: EndReason,
    error: &str,
    now: i64,
) -> Result<JobState, StoreError> {
    close_attempt(tx, lease, reason, Some(error), None, now).await?;
    let budget: Budget = sqlx::query_as(
        "SELECT attempt - attempts_before AS attempts_used, max_attempts, requested FROM jobs WHERE id = $1",
    )
    .bind(lease.job)
    .fetch_one(&mut *tx)
    .await?;
    let end = if budget.requested.as_deref() == Some("cancel") {
        JobEnd { state: JobState::Cancelled, reason: Some(EndReason::Cancelled), error: None }
    } else if budget.attempts_used >= budget.max_attempts {
        JobEnd { state: JobState::Failed, reason: Some(reason), error: Some(error) }
    } else {
        JobEnd { state: JobState::Queued, reason: None, error: None }
    };
    close_job(tx, lease, end, now).await
}

async fn close_attempt(
    tx: &mut SqliteConnection,
    lease: Lease,
    reason: EndReason,
    error: Option<&str>,
    seconds: Option<f64>,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE attempts SET ended_ms = $3, end_reason = $4, error = $5, seconds = $6 WHERE job_id = $1 AND number = $2",
    )
    .bind(lease.job)
    .bind(lease.attempt)
    .bind(now)
    .bind(reason.as_str())
    .bind(error)
    .bind(seconds)
    .execute(tx)
    .await?;
    Ok(())
}

async fn close_job(
    tx: &mut SqliteConnection,
    lease: Lease,
    end: JobEnd<'_>,
    now: i64,
) -> Result<JobState, StoreError> {
    let version = next_version(tx).await?;
    sqlx::query(
        "UPDATE jobs
         SET state = $2, requested = NULL, end_reason = $3, error = $4, ended_ms = $5, lease_until_ms = NULL,
             version = $6
         WHERE id = $1",
    )
    .bind(lease.job)
    .bind(end.state.as_str())
    .bind(end.reason.map(EndReason::as_str))
    .bind(end.error)
    .bind(end.state.has_ended().then_some(now))
    .bind(version)
    .execute(tx)
    .await?;
    Ok(end.state)
}
