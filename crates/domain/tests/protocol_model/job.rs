//! A job in the database of the model.

use std::collections::BTreeMap;

use optlab_domain::lifecycle::{self, Budget, Change, Ending, Outcome};
use optlab_domain::{Action, AttemptNumber, EndReason, JobId, JobState, Lease, Request};

use crate::Rules;
use crate::worker::{Packet, STEPS, Write};

/// The attempt that made each update of the history so far.
pub type History = Vec<u8>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    pub history: History,
    /// Whether its bytes can be read at present. A worker skips a checkpoint that cannot be read.
    pub is_readable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// The experiment to which it belongs.
    pub experiment: u8,
    /// Its last state, if it is deleted.
    pub state: JobState,
    /// Attempts after which it fails.
    max_attempts: u8,
    /// Number of the last attempt.
    pub attempt: u8,
    /// Attempts that do not count.
    attempts_before: u8,
    /// Attempts that count as lost, whatever happened to their machines.
    lost: u8,
    /// The reason why it ended.
    end_reason: Option<EndReason>,
    /// Whether a refund has requeued it.
    pub was_refunded: bool,
    /// The pending request.
    pub request: Option<Request>,
    /// For each step, the history that led to the point: a point of another run does not continue the earlier history.
    pub points: BTreeMap<usize, History>,
    /// Checkpoints by step, from which later attempts may resume.
    pub checkpoints: BTreeMap<usize, Checkpoint>,
    /// How often it has ended since it was last submitted or tried again.
    pub ends: u8,
    /// Whether people have stopped it and have not let it go on.
    pub is_stopped: bool,
    /// Whether an attempt began while it was stopped.
    pub disobeyed: bool,
    /// Whether a write of an attempt was accepted after another had begun.
    pub overtaken: bool,
    /// Whether its rows were deleted.
    pub is_deleted: bool,
    /// Whether a write of a job of another experiment was accepted.
    pub mistaken: bool,
}

impl Job {
    pub fn new(experiment: u8, max_attempts: u8) -> Self {
        Self {
            experiment,
            state: JobState::Queued,
            max_attempts,
            attempt: 0,
            attempts_before: 0,
            lost: 0,
            end_reason: None,
            was_refunded: false,
            request: None,
            points: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            ends: 0,
            is_stopped: false,
            disobeyed: false,
            overtaken: false,
            is_deleted: false,
            mistaken: false,
        }
    }

    pub fn claim(&mut self) {
        self.state = JobState::Running;
        self.attempt += 1;
        self.disobeyed |= self.is_stopped;
    }

    pub fn is_in(&self, state: JobState) -> bool {
        !self.is_deleted && self.state == state
    }

    /// Whether `action` would change anything.
    pub fn can(&self, action: Action) -> bool {
        !self.is_deleted && matches!(lifecycle::act(action, self.state, self.request), Ok(Some(_)))
    }

    /// People act on it.
    pub fn act(&mut self, action: Action) {
        let Ok(Some(change)) = lifecycle::act(action, self.state, self.request) else { return };
        self.is_stopped = matches!(action, Action::Cancel | Action::Pause);
        match change {
            Change::SetRequest(request) => self.request = request,
            Change::Pause => self.state = JobState::Paused,
            Change::Cancel => {
                self.state = JobState::Cancelled;
                self.ends += 1;
            }
            Change::Resume => self.state = JobState::Queued,
            Change::Requeue => {
                self.state = JobState::Queued;
                self.attempts_before = self.attempt;
                self.ends = 0;
            }
        }
    }

    /// Its rows are deleted.
    pub fn delete(&mut self) {
        let gone = Self::new(self.experiment, self.max_attempts);
        *self = Self { state: self.state, attempt: self.attempt, is_deleted: true, ..gone };
    }

    /// Whether rows of it exist although it is deleted.
    pub fn has_reappeared(&self) -> bool {
        self.is_deleted && !(self.points.is_empty() && self.checkpoints.is_empty())
    }

    /// Whether the attempt of the packet has ended. An attempt at a deleted job has ended if it had before the deletion.
    pub fn has_ended_attempt(&self, packet: &Packet) -> bool {
        packet.experiment < self.experiment
            || packet.attempt < self.attempt
            || self.state != JobState::Running
    }

    /// The fence.
    pub fn accepts(&self, packet: &Packet, rules: Rules) -> bool {
        if packet.experiment != self.experiment && rules.ids_are_new {
            return false;
        }
        if self.is_deleted {
            // No row contradicts the lease.
            return !rules.row_is_checked;
        }
        let attempt = if rules.attempt_is_checked { packet.attempt } else { self.attempt };
        let state = if rules.state_is_checked { self.state } else { JobState::Running };
        let number = |attempt: u8| AttemptNumber::from(i64::from(attempt));
        let lease = Lease { job: JobId::from(1), attempt: number(attempt) };
        lifecycle::may_write(lease, state, number(self.attempt))
    }

    pub fn write(&mut self, packet: &Packet, rules: Rules) {
        self.overtaken |= packet.attempt < self.attempt;
        self.mistaken |= packet.experiment != self.experiment;
        match &packet.write {
            Write::Start(history) => {
                self.points.retain(|step, _| *step <= history.len() || !rules.start_deletes_later_points);
                self.checkpoints
                    .retain(|step, _| *step <= history.len() || !rules.start_forgets_later_checkpoints);
            }
            Write::Points(history) => {
                self.points.insert(history.len(), history.clone());
            }
            Write::Checkpoint(history) => {
                let checkpoint = Checkpoint { history: history.clone(), is_readable: true };
                self.checkpoints.insert(history.len(), checkpoint);
            }
            Write::End(EndReason::Completed) if rules.end_checks_points && !self.is_complete() => {
                self.checkpoints.clear();
                self.end(EndReason::RunnerCrashed, rules);
            }
            Write::End(reason) => self.end(*reason, rules),
        }
    }

    /// The history from which an attempt that begins now resumes.
    pub fn last_readable_checkpoint(&self) -> History {
        let mut latest_first = self.checkpoints.values().rev();
        latest_first
            .find(|checkpoint| checkpoint.is_readable)
            .map_or_else(History::new, |c| c.history.clone())
    }

    pub fn set_readable(&mut self, is_readable: bool) {
        for checkpoint in self.checkpoints.values_mut() {
            checkpoint.is_readable = is_readable;
        }
    }

    pub fn is_complete(&self) -> bool {
        self.points.len() == STEPS
    }

    /// Its last attempt ends.
    pub fn end(&mut self, reason: EndReason, rules: Rules) {
        let used = self.attempt - self.attempts_before;
        let budget = Budget { used: used.into(), limit: self.max_attempts.into() };
        let request = self.request.take().filter(|_| rules.requests_decide);
        let outcome = lifecycle::end(Ending { reason, request, budget, is_elsewhere_untried: false }, 0);
        self.state = outcome.state();
        match outcome {
            Outcome::Finished { reason, .. } => {
                self.ends += 1;
                self.end_reason = Some(reason);
                // A pause ends with the failure of its job.
                self.is_stopped &= self.state != JobState::Failed;
            }
            Outcome::Released { counts, .. } => self.attempts_before += u8::from(!counts),
        }
        self.lost += u8::from(reason == EndReason::WorkerLost);
    }

    pub fn has_lost_attempts(&self) -> bool {
        !self.is_deleted && self.lost > 0
    }

    /// An engine reports that it took the machine of a lost attempt.
    pub fn refund(&mut self) {
        self.lost -= 1;
        // After a retry by people, no attempt before it counts.
        if self.attempt <= self.attempts_before {
            return;
        }
        self.attempts_before += 1;
        if lifecycle::is_requeued_by_refund(self.state, self.end_reason) {
            self.state = JobState::Queued;
            self.ends = 0;
            self.was_refunded = true;
        }
    }

    /// Whether nothing more happens to it by itself.
    pub fn is_settled(&self) -> bool {
        self.is_deleted || self.state.has_ended() || self.state == JobState::Paused
    }
}
