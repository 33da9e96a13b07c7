//! The life of a job: actions of people, the transition at the end of an attempt, and the fence.
//!
//! These are pure functions. The store applies what they return. `tests/protocol_model` of this crate runs them in a world of
//! crashes, late writes, lost answers and people who act; `tests/store/random.rs` compares the store with them.

use std::fmt;

use crate::{Action, AttemptNumber, EndReason, JobState, Lease, Request};

/// The first delay before a failed attempt is retried. It doubles each time, up to [`LONGEST_WAIT_MS`].
const FIRST_WAIT_MS: i64 = 1_000;
/// The longest delay of a retry.
pub const LONGEST_WAIT_MS: i64 = 300_000;
/// Maximum time that a job waits for a place at which it has not failed.
pub const LONGEST_WAIT_FOR_PLACE_MS: i64 = 600_000;

/// The fence: whether the attempt of `lease` may write to its job, which is in `state` and whose last attempt is `last`.
/// `store/queue/fence.rs` has the same condition in SQL, because the most frequent write is one statement.
pub fn may_write(lease: Lease, state: JobState, last: AttemptNumber) -> bool {
    state == JobState::Running && lease.attempt == last
}

/// The change of a job by an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Sets the pending request for the running job, or withdraws it.
    SetRequest(Option<Request>),
    /// The queued job becomes [`JobState::Paused`].
    Pause,
    /// The queued or paused job becomes [`JobState::Cancelled`].
    Cancel,
    /// The paused job is requeued. A retry delay continues.
    Resume,
    /// The ended job is requeued without a delay, at its last checkpoint and with a fresh budget of attempts.
    Requeue,
}

/// The reason why an action is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Its state does not allow it.
    State(JobState, Action),
    /// A cancel request is pending.
    BeingCancelled(Action),
}

impl fmt::Display for Rejection {
    /// Continues a sentence that begins with the job: "is failed and cannot be paused".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, action) = match self {
            Self::BeingCancelled(action) => (None, action),
            Self::State(state, action) => (Some(state), action),
        };
        let done = match action {
            Action::Cancel => "cancelled",
            Action::Pause => "paused",
            Action::Resume => "resumed",
            Action::Retry => "tried again",
        };
        match state {
            None => write!(f, "is being cancelled and cannot be {done}"),
            Some(state) => write!(f, "is {state} and cannot be {done}{}", instead(*action, *state)),
        }
    }
}

/// The action that is possible instead of `action`.
fn instead(action: Action, state: JobState) -> &'static str {
    match (action, state) {
        (Action::Resume, JobState::Failed | JobState::Cancelled) => "; it can be tried again",
        (Action::Retry, JobState::Paused) => "; it can be resumed",
        _ => "",
    }
}

/// The change by `action` of a job in `state` with the pending `request`; `None` if nothing changes.
///
/// # Errors
/// [`Rejection`] if the action is impossible in this state.
pub fn act(action: Action, state: JobState, request: Option<Request>) -> Result<Option<Change>, Rejection> {
    use JobState::{Cancelled, Failed, Paused, Queued, Running, Succeeded};
    let change = match (action, state) {
        (Action::Pause | Action::Resume | Action::Retry, Running) if request == Some(Request::Cancel) => {
            return Err(Rejection::BeingCancelled(action));
        }

        (Action::Cancel, Queued | Paused) => Change::Cancel,
        (Action::Cancel, Running) => Change::SetRequest(Some(Request::Cancel)),
        (Action::Cancel, Cancelled) => return Ok(None),

        (Action::Pause, Queued) => Change::Pause,
        (Action::Pause, Running) => Change::SetRequest(Some(Request::Pause)),
        (Action::Pause, Paused) => return Ok(None),

        (Action::Resume, Paused) => Change::Resume,
        (Action::Resume, Running) if request == Some(Request::Pause) => Change::SetRequest(None),
        (Action::Resume, Queued | Running) => return Ok(None),

        (Action::Retry, Failed | Cancelled) => Change::Requeue,
        (Action::Retry, Queued | Running) => return Ok(None),

        (Action::Cancel | Action::Pause | Action::Resume, Succeeded | Failed | Cancelled)
        | (Action::Retry, Paused | Succeeded) => return Err(Rejection::State(state, action)),
    };
    Ok((change != Change::SetRequest(request)).then_some(change))
}

/// Every state of a job with every possible pending request.
pub fn situations() -> impl Iterator<Item = (JobState, Option<Request>)> {
    use strum::VariantArray;
    let requests = |state| {
        let asked = Request::VARIANTS.iter().filter(move |_| state == JobState::Running);
        std::iter::once(None).chain(asked.copied().map(Some))
    };
    JobState::VARIANTS.iter().flat_map(move |&state| requests(state).map(move |request| (state, request)))
}

/// The attempts that a job has used, including the one that ends now, and those that it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Attempts that count.
    pub used: i64,
    /// Number of attempts after which the job fails.
    pub limit: i64,
}

/// The end of an attempt, with the inputs of the transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The reason why the attempt ended.
    pub reason: EndReason,
    /// The pending request.
    pub request: Option<Request>,
    /// The attempts used and allowed.
    pub budget: Budget,
    /// Whether the job had failed at this place before, while another place has not tried it yet. Such a failure is no
    /// evidence against the job.
    pub is_elsewhere_untried: bool,
}

/// The transition of a job at the end of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The job ends too.
    Finished {
        /// Only jobs in this state.
        state: JobState,
        /// For this reason: that of the attempt, or [`EndReason::Cancelled`] if the job would have been requeued and
        /// its cancellation was pending.
        reason: EndReason,
    },
    /// The job goes back to its last checkpoint.
    Released {
        /// [`JobState::Queued`] or [`JobState::Paused`].
        state: JobState,
        /// Whether the attempt counts against the budget.
        counts: bool,
        /// The earliest time of the next attempt, milliseconds since the epoch; `None` if it may begin at once.
        not_before_ms: Option<i64>,
    },
}

impl Outcome {
    /// The state of the job now.
    pub fn state(self) -> JobState {
        match self {
            Self::Finished { state, .. } | Self::Released { state, .. } => state,
        }
    }
}

/// The transition of a job whose attempt has ended.
pub fn end(ending: Ending, now_ms: i64) -> Outcome {
    let Ending { reason, request, budget, is_elsewhere_untried } = ending;
    let (counts, waits) = match reason {
        EndReason::Completed | EndReason::StoppedEarly => {
            return Outcome::Finished { state: JobState::Succeeded, reason };
        }
        EndReason::Cancelled => return Outcome::Finished { state: JobState::Cancelled, reason },
        EndReason::UserError | EndReason::Diverged | EndReason::TimedOut => {
            return Outcome::Finished { state: JobState::Failed, reason };
        }
        EndReason::HandedBack | EndReason::AtRung | EndReason::Preempted => (false, Wait::Nothing),
        EndReason::MachineFault => (false, Wait::AnotherPlace),
        EndReason::WorkerLost => (true, Wait::Nothing),
        EndReason::RunnerCrashed | EndReason::OutOfMemory => (!is_elsewhere_untried, Wait::Backoff),
    };
    if request == Some(Request::Cancel) {
        return Outcome::Finished { state: JobState::Cancelled, reason: EndReason::Cancelled };
    }
    if counts && budget.used >= budget.limit {
        return Outcome::Finished { state: JobState::Failed, reason };
    }
    let state = if request == Some(Request::Pause) { JobState::Paused } else { JobState::Queued };
    let not_before_ms = match waits {
        Wait::Nothing => None,
        // The wait for another place starts now.
        Wait::AnotherPlace => Some(now_ms),
        Wait::Backoff => Some(now_ms + backoff_ms(budget.used - i64::from(!counts))),
    };
    Outcome::Released { state, counts, not_before_ms }
}

/// Whether a job is requeued when an attempt that counted no longer does, because an engine had taken its machine: if the
/// job failed when its attempts were used up.
pub fn is_requeued_by_refund(state: JobState, end_reason: Option<EndReason>) -> bool {
    let counts = |reason| {
        let budget = Budget { used: 0, limit: 1 };
        let ending = Ending { reason, request: None, budget, is_elsewhere_untried: false };
        matches!(end(ending, 0), Outcome::Released { counts: true, .. })
    };
    state == JobState::Failed && end_reason.is_some_and(counts)
}

/// The earliest time of the next attempt.
enum Wait {
    Nothing,
    AnotherPlace,
    Backoff,
}

fn backoff_ms(used: i64) -> i64 {
    let doublings = used.saturating_sub(1).clamp(0, 20);
    (FIRST_WAIT_MS << doublings).min(LONGEST_WAIT_MS)
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::*;

    const ENOUGH: Budget = Budget { used: 1, limit: 5 };
    const SPENT: Budget = Budget { used: 5, limit: 5 };
    const NOW: i64 = 10_000;

    fn ending(reason: EndReason, budget: Budget) -> Ending {
        Ending { reason, request: None, budget, is_elsewhere_untried: false }
    }

    fn ended(reason: EndReason, budget: Budget) -> Outcome {
        end(ending(reason, budget), NOW)
    }

    fn failed_at_a_known_place(budget: Budget) -> Outcome {
        end(Ending { is_elsewhere_untried: true, ..ending(EndReason::RunnerCrashed, budget) }, NOW)
    }

    #[test]
    fn no_action_leaves_success() {
        for &action in Action::VARIANTS {
            assert!(act(action, JobState::Succeeded, None).is_err(), "{action}");
        }
    }

    #[test]
    fn actions_are_idempotent() {
        for &action in Action::VARIANTS {
            for (state, request) in situations() {
                let (state, request) = match act(action, state, request) {
                    Ok(Some(Change::SetRequest(request))) => (state, request),
                    Ok(Some(Change::Pause)) => (JobState::Paused, None),
                    Ok(Some(Change::Cancel)) => (JobState::Cancelled, None),
                    Ok(Some(Change::Resume | Change::Requeue)) => (JobState::Queued, None),
                    Ok(None) => (state, request),
                    Err(_) => continue,
                };
                assert_eq!(act(action, state, request), Ok(None), "{action} of {state}, {request:?}");
            }
        }
    }

    #[test]
    fn only_a_stopped_job_can_be_started_again() {
        let restarts = situations().filter(|&(state, request)| {
            let change = act(Action::Retry, state, request);
            change == Ok(Some(Change::Requeue))
        });
        assert!(restarts.eq([(JobState::Failed, None), (JobState::Cancelled, None)]));
    }

    #[test]
    fn a_job_ends_only_for_reasons_that_end_jobs() {
        for &reason in EndReason::VARIANTS {
            for budget in [ENOUGH, SPENT] {
                for request in [None, Some(Request::Pause), Some(Request::Cancel)] {
                    for is_elsewhere_untried in [false, true] {
                        let outcome = end(Ending { reason, request, budget, is_elsewhere_untried }, NOW);
                        if let Outcome::Finished { state, reason } = outcome {
                            assert!(state.has_ended() && reason.ends_jobs(), "{outcome:?}");
                        } else {
                            assert!(!outcome.state().has_ended(), "{outcome:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn every_end_reason_has_its_transition() {
        let ends = |state, reason| Outcome::Finished { state, reason };
        let back =
            |counts, not_before_ms| Outcome::Released { state: JobState::Queued, counts, not_before_ms };
        for &reason in EndReason::VARIANTS {
            let expected = match reason {
                EndReason::Completed | EndReason::StoppedEarly => ends(JobState::Succeeded, reason),
                EndReason::Cancelled => ends(JobState::Cancelled, reason),
                EndReason::UserError | EndReason::Diverged | EndReason::TimedOut => {
                    ends(JobState::Failed, reason)
                }
                EndReason::OutOfMemory | EndReason::RunnerCrashed => back(true, Some(NOW + 2_000)),
                EndReason::WorkerLost => back(true, None),
                EndReason::MachineFault => back(false, Some(NOW)),
                EndReason::HandedBack | EndReason::AtRung | EndReason::Preempted => back(false, None),
            };
            assert_eq!(ended(reason, Budget { used: 2, limit: 5 }), expected, "{reason}");
        }
        // A failure that does not count does not increase the delay.
        let again = failed_at_a_known_place(Budget { used: 2, limit: 5 });
        assert_eq!(again, back(false, Some(NOW + 1_000)));
    }

    #[test]
    fn machine_faults_cost_no_attempt() {
        let reasons =
            [EndReason::MachineFault, EndReason::HandedBack, EndReason::AtRung, EndReason::Preempted];
        for reason in reasons {
            assert!(matches!(ended(reason, SPENT), Outcome::Released { counts: false, .. }), "{reason}");
        }
        let again = failed_at_a_known_place(SPENT);
        assert!(matches!(again, Outcome::Released { counts: false, .. }), "{again:?}");
    }

    #[test]
    fn a_job_fails_once_its_attempts_are_used_up() {
        for reason in [EndReason::WorkerLost, EndReason::RunnerCrashed, EndReason::OutOfMemory] {
            assert_eq!(ended(reason, SPENT), Outcome::Finished { state: JobState::Failed, reason });
            assert_eq!(ended(reason, ENOUGH).state(), JobState::Queued);
        }
    }

    #[test]
    fn a_refund_requeues_only_jobs_whose_attempts_were_used_up() {
        for &reason in EndReason::VARIANTS {
            for &state in JobState::VARIANTS {
                let is_used_up = ended(reason, SPENT)
                    == Outcome::Finished { state: JobState::Failed, reason }
                    && ended(reason, ENOUGH).state() == JobState::Queued;
                let expected = state == JobState::Failed && is_used_up;
                assert_eq!(is_requeued_by_refund(state, Some(reason)), expected, "{state}, {reason}");
            }
        }
        assert!(!is_requeued_by_refund(JobState::Failed, None));
    }

    #[test]
    fn a_pending_request_determines_the_next_state() {
        let stopped_by =
            |request, reason| end(Ending { request: Some(request), ..ending(reason, ENOUGH) }, NOW);
        let stopped = |request| stopped_by(request, EndReason::HandedBack);
        assert_eq!(stopped(Request::Pause).state(), JobState::Paused);
        let cancelled = Outcome::Finished { state: JobState::Cancelled, reason: EndReason::Cancelled };
        assert_eq!(stopped(Request::Cancel), cancelled);
        let completed = stopped_by(Request::Cancel, EndReason::Completed);
        assert_eq!(completed.state(), JobState::Succeeded);
    }

    #[test]
    fn retry_delays_double_from_a_second_to_five_minutes() {
        let wait = |used| match ended(EndReason::RunnerCrashed, Budget { used, limit: i64::MAX }) {
            Outcome::Released { not_before_ms: Some(time), .. } => time - NOW,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            [1, 2, 3, 9, 10, i64::MAX - 1].map(wait),
            [1_000, 2_000, 4_000, 256_000, 300_000, 300_000]
        );
    }
}
