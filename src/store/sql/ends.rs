//! How attempts end, and what that makes of their jobs.

use optlab_spec::protocol::{EndReason, Failure};
use sqlx::FromRow;

use super::jobs::parse_state;
use super::next_version;
use super::places::says_nothing_new;
use super::statement::{Transaction, sql};
use crate::store::{AttemptEnd, CompleteRun, Job, JobState, Lease, StoreError};

/// The first wait before a job that ended by itself is tried again; it doubles each time.
const FIRST_BACKOFF_MS: i64 = 1_000;

/// How an attempt ended, as it is written down.
pub(super) struct End {
    pub(super) reason: &'static str,
    error: Option<String>,
    seconds: Option<f64>,
}

impl End {
    pub(super) fn of(reason: EndReason, error: &str) -> Self {
        let error = (reason != EndReason::Cancelled).then(|| error.to_owned());
        Self { reason: reason.as_str(), error, seconds: None }
    }
}

impl From<&AttemptEnd> for End {
    fn from(end: &AttemptEnd) -> Self {
        match end {
            AttemptEnd::Finished(CompleteRun { summary, missing_files, .. }) => Self {
                reason: EndReason::Completed.as_str(),
                error: (!missing_files.is_empty()).then(|| missing_files.join("; ")),
                seconds: Some(summary.seconds),
            },
            AttemptEnd::Failed(Failure { reason, error, .. }) => Self::of(*reason, error),
            AttemptEnd::HandedBack => Self { reason: AttemptEnd::HANDED_BACK, error: None, seconds: None },
        }
    }
}

/// What an end makes of the job.
pub(super) enum Then {
    /// It has ended too.
    Ends(JobState),
    /// It goes on, unless people want otherwise.
    GoesOn,
    /// It is queued again, preferably for another machine.
    GoesElsewhere,
    /// It is tried again while its budget lasts, after a while if the fault may be its own.
    IsTriedAgain { backs_off: bool },
}

impl From<&AttemptEnd> for Then {
    fn from(end: &AttemptEnd) -> Self {
        match end {
            AttemptEnd::Finished(_) => Self::Ends(JobState::Succeeded),
            AttemptEnd::HandedBack => Self::GoesOn,
            AttemptEnd::Failed(failure) => match failure.reason {
                EndReason::Cancelled => Self::Ends(JobState::Cancelled),
                EndReason::RunnerCrashed | EndReason::OutOfMemory => Self::IsTriedAgain { backs_off: true },
                EndReason::WorkerLost => Self::IsTriedAgain { backs_off: false },
                EndReason::MachineFault => Self::GoesElsewhere,
                EndReason::Completed | EndReason::UserError | EndReason::Diverged | EndReason::TimedOut => {
                    Self::Ends(JobState::Failed)
                }
            },
        }
    }
}

/// What decides where a job goes whose attempt is over.
#[derive(FromRow)]
struct Budget {
    attempts_used: i64,
    max_attempts: i64,
    requested: Option<String>,
}

/// Ends the attempt and, with it or for now, its job.
pub(super) async fn close(
    tx: &mut Transaction,
    lease: Lease,
    end: &End,
    then: Then,
    now: i64,
) -> Result<JobState, StoreError> {
    let is_forgiven = match then {
        Then::GoesOn | Then::GoesElsewhere => true,
        Then::IsTriedAgain { backs_off: true } => says_nothing_new(tx, lease, now).await?,
        Then::IsTriedAgain { backs_off: false } | Then::Ends(_) => false,
    };
    close_attempt(tx, lease, end, now).await?;
    if let Then::Ends(state) = then {
        return close_job(tx, lease, state, Some(end), now).await;
    }
    if is_forgiven {
        sql("UPDATE jobs SET attempts_before = attempts_before + 1 WHERE id = $1")
            .bind(lease.job)
            .execute(tx)
            .await?;
    }
    let budget: Budget = sql(
        "SELECT attempt - attempts_before AS attempts_used, max_attempts, requested FROM jobs WHERE id = $1",
    )
    .bind(lease.job)
    .fetch_one(tx)
    .await?;
    let requested = budget.requested.as_deref();
    if requested == Some("cancel") {
        let end = End::of(EndReason::Cancelled, "");
        return close_job(tx, lease, JobState::Cancelled, Some(&end), now).await;
    }
    if !is_forgiven && budget.attempts_used >= budget.max_attempts {
        return close_job(tx, lease, JobState::Failed, Some(end), now).await;
    }
    let state = if requested == Some("pause") { JobState::Paused } else { JobState::Queued };
    let not_before = match then {
        Then::IsTriedAgain { backs_off: true } => now + backoff_ms(budget.attempts_used),
        Then::GoesElsewhere => now,
        _ => 0,
    };
    go_back(tx, lease.job, not_before).await?;
    close_job(tx, lease, state, None, now).await
}

fn backoff_ms(attempts_used: i64) -> i64 {
    let doublings = attempts_used.saturating_sub(1).clamp(0, 20);
    (FIRST_BACKOFF_MS << doublings).min(Job::LONGEST_DELAY_MS)
}

/// The job is where its next attempt will begin.
async fn go_back(tx: &mut Transaction, job: i64, not_before_ms: i64) -> Result<(), StoreError> {
    sql("UPDATE jobs
         SET started_ms = NULL, not_before_ms = $2, step = coalesce(
             (SELECT max(step) FROM artifacts WHERE job_id = $1 AND kind = 'checkpoint'), 0)
         WHERE id = $1")
    .bind(job)
    .bind(not_before_ms)
    .execute(tx)
    .await?;
    Ok(())
}

/// The state of the job, where it was this attempt that ended, and so: the reply to the first writing was lost.
pub(super) async fn ended_before(
    tx: &mut Transaction,
    lease: Lease,
    end: &End,
) -> Result<JobState, StoreError> {
    let state: Option<(String,)> =
        sql("SELECT j.state FROM jobs j JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
         WHERE j.id = $1 AND a.number = $2 AND a.end_reason = $3")
        .bind(lease.job)
        .bind(lease.attempt)
        .bind(end.reason)
        .fetch_optional(tx)
        .await?;
    parse_state(&state.ok_or(StoreError::LeaseLost { job: lease.job, attempt: lease.attempt })?.0)
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
    .execute(tx)
    .await?;
    Ok(())
}

/// `end` is `None` for a job that goes on.
async fn close_job(
    tx: &mut Transaction,
    lease: Lease,
    state: JobState,
    end: Option<&End>,
    now: i64,
) -> Result<JobState, StoreError> {
    let version = next_version(tx).await?;
    sql("UPDATE jobs
         SET state = $2, requested = NULL, end_reason = $3, error = $4, ended_ms = $5, lease_until_ms = NULL,
             version = $6
         WHERE id = $1")
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
