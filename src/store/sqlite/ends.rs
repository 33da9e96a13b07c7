//! How attempts end, and what that makes of their jobs.

use optlab_spec::protocol::EndReason;
use sqlx::{FromRow, SqliteConnection};

use super::jobs::parse_state;
use super::next_version;
use crate::store::{JobState, Lease, StoreError};

/// How an attempt ended, as it is written down.
pub(super) struct End {
    pub(super) reason: &'static str,
    error: Option<String>,
    seconds: Option<f64>,
}

/// The worker stopped in good order. A job never ends so, only an attempt.
const HANDED_BACK: &str = "handed_back";

impl End {
    pub(super) fn of(reason: EndReason, error: &str) -> Self {
        let error = (reason != EndReason::Cancelled).then(|| error.to_owned());
        Self { reason: reason.as_str(), error, seconds: None }
    }

    pub(super) fn handed_back() -> Self {
        Self { reason: HANDED_BACK, error: None, seconds: None }
    }

    pub(super) fn completed(seconds: f64) -> Self {
        Self { reason: EndReason::Completed.as_str(), error: None, seconds: Some(seconds) }
    }
}

/// What decides whether a job whose attempt was lost is tried again.
#[derive(FromRow)]
struct Budget {
    attempts_used: i64,
    max_attempts: i64,
    requested: Option<String>,
}

/// The state of the job, where it was this attempt that ended, and so: the reply to the first writing was lost.
pub(super) async fn ended_before(
    tx: &mut SqliteConnection,
    lease: Lease,
    reason: &str,
) -> Result<JobState, StoreError> {
    let state: Option<String> = sqlx::query_scalar(
        "SELECT j.state FROM jobs j JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
         WHERE j.id = $1 AND a.number = $2 AND a.end_reason = $3",
    )
    .bind(lease.job)
    .bind(lease.attempt)
    .bind(reason)
    .fetch_optional(tx)
    .await?;
    parse_state(&state.ok_or(StoreError::LeaseLost { job: lease.job, attempt: lease.attempt })?)
}

/// Ends an attempt without result: the job waits again while its budget lasts.
pub(super) async fn lose(
    tx: &mut SqliteConnection,
    lease: Lease,
    end: &End,
    now: i64,
) -> Result<JobState, StoreError> {
    close_attempt(tx, lease, end, now).await?;
    let budget: Budget = sqlx::query_as(
        "SELECT attempt - attempts_before AS attempts_used, max_attempts, requested FROM jobs WHERE id = $1",
    )
    .bind(lease.job)
    .fetch_one(&mut *tx)
    .await?;
    if budget.requested.as_deref() == Some("cancel") {
        let end = End::of(EndReason::Cancelled, "");
        close_job(tx, lease, JobState::Cancelled, Some(&end), now).await
    } else if budget.attempts_used >= budget.max_attempts {
        close_job(tx, lease, JobState::Failed, Some(end), now).await
    } else {
        sqlx::query("UPDATE jobs SET step = 0, started_ms = NULL WHERE id = $1")
            .bind(lease.job)
            .execute(&mut *tx)
            .await?;
        close_job(tx, lease, JobState::Queued, None, now).await
    }
}

pub(super) async fn close_attempt(
    tx: &mut SqliteConnection,
    lease: Lease,
    end: &End,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE attempts SET ended_ms = $3, end_reason = $4, error = $5, seconds = $6
         WHERE job_id = $1 AND number = $2",
    )
    .bind(lease.job)
    .bind(lease.attempt)
    .bind(now)
    .bind(end.reason)
    .bind(&end.error)
    .bind(end.seconds)
    .execute(tx)
    .await?;
    Ok(())
}

/// `end` is `None` for a job that goes on.
pub(super) async fn close_job(
    tx: &mut SqliteConnection,
    lease: Lease,
    state: JobState,
    end: Option<&End>,
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
    .bind(state.as_str())
    .bind(end.map(|end| end.reason))
    .bind(end.and_then(|end| end.error.as_deref()))
    .bind(end.map(|_| now))
    .bind(version)
    .execute(tx)
    .await?;
    Ok(state)
}
