//! Stores the ends of attempts, and the transitions of their jobs by [`lifecycle::end`].

use optlab_domain::lifecycle::{self, Budget, Ending, Outcome};
use optlab_domain::{EndReason, JobState, Lease, Request};
use optlab_spec::protocol::Failure;
use sqlx_macros::FromRow;

use super::places::is_no_new_evidence;
use crate::store::database::{Transaction, locked, sql};
use crate::store::tuning::{is_chosen_without, release_failed_arm};
use crate::store::version::next_version;
use crate::store::{AttemptEnd, CompleteRun, StoreError};

/// The end of an attempt, as it is stored.
pub(super) struct End {
    reason: EndReason,
    error: Option<String>,
    seconds: Option<f64>,
}

impl End {
    pub(super) fn of(reason: EndReason, error: &str) -> Self {
        let error = (reason != EndReason::Cancelled).then(|| error.to_owned());
        Self { reason, error, seconds: None }
    }
}

impl From<&AttemptEnd> for End {
    fn from(end: &AttemptEnd) -> Self {
        match end {
            AttemptEnd::Finished(CompleteRun { summary, missing_files, .. }) => Self {
                reason: EndReason::Completed,
                error: (!missing_files.is_empty()).then(|| missing_files.join("; ")),
                seconds: Some(summary.seconds),
            },
            AttemptEnd::Failed(Failure { reason, error, .. }) => Self::of(*reason, error),
            AttemptEnd::HandedBack => Self { reason: EndReason::HandedBack, error: None, seconds: None },
            AttemptEnd::AtRung { .. } => Self { reason: EndReason::AtRung, error: None, seconds: None },
        }
    }
}

/// The inputs of the transition at the end of an attempt.
#[derive(FromRow)]
struct Standing {
    attempts_used: i64,
    max_attempts: i64,
    requested: Option<Request>,
}

/// Stores the end of the attempt and the transition of its job.
pub(super) async fn close(
    tx: &mut Transaction,
    lease: Lease,
    end: &End,
    now: i64,
) -> Result<JobState, StoreError> {
    let is_elsewhere_untried =
        end.reason.may_be_fault_of_place() && is_no_new_evidence(tx, lease, now).await?;
    close_attempt(tx, lease, end, now).await?;
    let standing: Standing = sql(
        "SELECT attempt - attempts_before AS attempts_used, max_attempts, requested FROM jobs WHERE id = $1",
    )
    .bind(lease.job)
    .fetch_one(tx)
    .await?;
    let budget = Budget { used: standing.attempts_used, limit: standing.max_attempts };
    let ending = Ending { reason: end.reason, request: standing.requested, budget, is_elsewhere_untried };
    let outcome = lifecycle::end(ending, now);
    match outcome {
        Outcome::Finished { state, reason } => {
            let error = end.error.as_deref().filter(|_| reason == end.reason);
            close_job(tx, lease, state, reason, error, now).await?;
        }
        Outcome::Released { state, counts, not_before_ms } => {
            go_back(tx, lease, state, counts, not_before_ms).await?;
        }
    }
    Ok(outcome.state())
}

/// Marks an attempt that was counted as lost as preempted, so that it does not count. A job that failed because its
/// attempts were used up is requeued, unless it is a trial whose arm has chosen without it.
pub(super) async fn uncount(tx: &mut Transaction, lease: Lease, why: &str) -> Result<(), StoreError> {
    sql("UPDATE attempts SET end_reason = $3, error = $4 WHERE job_id = $1 AND number = $2")
        .bind(lease.job)
        .bind(lease.attempt)
        .bind(EndReason::Preempted)
        .bind(why)
        .execute_one(tx)
        .await?;
    // After a retry by hand, no attempt before it counts.
    let job: Option<(JobState, Option<EndReason>)> =
        locked!("SELECT state, end_reason FROM jobs WHERE id = $1 AND attempt > attempts_before")
            .bind(lease.job)
            .fetch_optional(tx)
            .await?;
    let Some((state, reason)) = job else { return Ok(()) };
    if lifecycle::is_requeued_by_refund(state, reason) && !is_chosen_without(tx, lease.job).await? {
        go_back(tx, lease, JobState::Queued, false, None).await?;
        return release_failed_arm(tx, lease.job).await;
    }
    let version = next_version(tx).await?;
    sql("UPDATE jobs SET attempts_before = attempts_before + 1, version = $2 WHERE id = $1")
        .bind(lease.job)
        .bind(version)
        .execute_one(tx)
        .await
}

/// Requeues or pauses the job, at the step at which its next attempt will begin.
async fn go_back(
    tx: &mut Transaction,
    lease: Lease,
    state: JobState,
    counts: bool,
    not_before_ms: Option<i64>,
) -> Result<(), StoreError> {
    let version = next_version(tx).await?;
    sql("UPDATE jobs
         SET state = $2, requested = NULL, end_reason = NULL, error = NULL, started_ms = NULL, ended_ms = NULL,
             lease_until_ms = NULL, not_before_ms = $3, attempts_before = attempts_before + $4, version = $5, step = coalesce(
                 (SELECT max(step) FROM artifacts WHERE job_id = $1 AND kind = 'checkpoint'), 0)
         WHERE id = $1")
    .bind(lease.job)
    .bind(state)
    .bind(not_before_ms.unwrap_or(0))
    .bind(i64::from(!counts))
    .bind(version)
    .execute_one(tx)
    .await?;
    Ok(())
}

async fn close_job(
    tx: &mut Transaction,
    lease: Lease,
    state: JobState,
    reason: EndReason,
    error: Option<&str>,
    now: i64,
) -> Result<(), StoreError> {
    let version = next_version(tx).await?;
    sql("UPDATE jobs
         SET state = $2, requested = NULL, end_reason = $3, error = $4, ended_ms = $5, lease_until_ms = NULL,
             version = $6
         WHERE id = $1")
    .bind(lease.job)
    .bind(state)
    .bind(reason)
    .bind(error)
    .bind(now)
    .bind(version)
    .execute_one(tx)
    .await?;
    Ok(())
}

async fn close_attempt(tx: &mut Transaction, lease: Lease, end: &End, now: i64) -> Result<(), StoreError> {
    sql("UPDATE attempts SET ended_ms = $3, end_reason = $4, error = $5, seconds = $6
         WHERE job_id = $1 AND number = $2")
    .bind(lease.job)
    .bind(lease.attempt)
    .bind(now)
    .bind(end.reason)
    .bind(end.error.as_deref())
    .bind(end.seconds)
    // A job whose attempt has no row, after a manual change, must not stop the reaper from handling the others.
    .execute(tx)
    .await?;
    Ok(())
}

/// The state of the job if this attempt has already ended for this reason, because the reply to the first call was
/// lost.
pub(super) async fn ended_before(
    tx: &mut Transaction,
    lease: Lease,
    end: &End,
) -> Result<JobState, StoreError> {
    let state: Option<(JobState,)> =
        sql("SELECT j.state FROM jobs j JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
         WHERE j.id = $1 AND a.number = $2 AND a.end_reason = $3")
        .bind(lease.job)
        .bind(lease.attempt)
        .bind(end.reason)
        .fetch_optional(tx)
        .await?;
    let (state,) = state.ok_or(StoreError::LeaseLost(lease))?;
    Ok(state)
}
