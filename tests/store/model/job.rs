//! One job of the model.

use std::collections::{BTreeMap, BTreeSet};

use optlab::store::{JobState, Lease, Wish};
use optlab_spec::protocol::EndReason;

use super::{Answer, Call, End, View};
use crate::fixture::{LEASE_MS, STEPS};

/// The devices of the one worker.
const PLACES: [&str; 2] = ["cpu", "cuda"];
/// For so long a job waits for a place where it has not failed.
const PATIENCE_MS: i64 = 600_000;

pub struct Job {
    pub view: View,
    pub checkpoints: BTreeSet<i64>,
    pub(super) priority: i64,
    device: &'static str,
    max_attempts: i64,
    attempts_used: i64,
    not_before: i64,
    lease_until: i64,
    /// Where the last attempt ran.
    place: &'static str,
    /// Where an attempt has failed.
    failed_at: BTreeSet<&'static str>,
    /// How the last attempt ended; `None` while it runs.
    last_end: Option<End>,
}

impl Job {
    pub(super) fn new(priority: i64, device: &'static str, max_attempts: i64) -> Self {
        let view = View {
            state: JobState::Queued,
            requested: None,
            attempt: 0,
            step: 0,
            end_reason: None,
            points: BTreeMap::new(),
        };
        Self {
            view,
            checkpoints: BTreeSet::new(),
            priority,
            device,
            max_attempts,
            attempts_used: 0,
            not_before: 0,
            lease_until: 0,
            place: "",
            failed_at: BTreeSet::new(),
            last_end: None,
        }
    }

    pub(super) fn may_begin(&self, device: &str, now: i64) -> bool {
        let suits = self.device == "any" || self.device == device;
        let waits_for_another = self.is_better_elsewhere(device) && now < self.not_before + PATIENCE_MS;
        self.view.state == JobState::Queued && self.not_before <= now && suits && !waits_for_another
    }

    /// It has failed here and at no other place that it could go to.
    fn is_better_elsewhere(&self, device: &str) -> bool {
        let others = if self.device == "any" { PLACES.len() - 1 } else { 0 };
        self.failed_at.contains(device) && self.failed_at.len() - 1 < others
    }

    pub(super) fn begin(&mut self, device: &'static str, now: i64) {
        self.view.state = JobState::Running;
        self.view.attempt += 1;
        self.attempts_used += 1;
        self.lease_until = now + LEASE_MS;
        self.place = device;
        self.last_end = None;
    }

    pub(super) fn is_lost(&self, now: i64) -> bool {
        self.view.state == JobState::Running && self.lease_until < now
    }

    /// The attempt that runs may write; one that has ended may only say again how.
    pub(super) fn write(&mut self, lease: Lease, call: &Call, now: i64) -> Answer {
        let is_last = self.view.attempt == lease.attempt;
        if !is_last || self.view.state != JobState::Running {
            return match call {
                Call::End { end, .. } if is_last && self.last_end == Some(*end) => {
                    Answer::Ended(self.view.state)
                }
                _ => Answer::LeaseLost,
            };
        }
        match call {
            Call::Start { step, .. } => {
                self.view.points.retain(|at, _| at <= step && *step > 0);
                self.checkpoints.retain(|at| at <= step);
                self.view.step = *step;
            }
            Call::Record { steps, .. } => {
                self.view.points.extend(steps.iter().map(|&step| (step, lease.attempt)));
                self.view.step = steps.last().copied().unwrap_or(self.view.step);
                self.lease_until = now + LEASE_MS;
                return Answer::Recorded(self.view.requested);
            }
            Call::AddCheckpoint { step, .. } => {
                self.checkpoints.insert(*step);
            }
            Call::End { end, .. } => return Answer::Ended(self.end(*end, now)),
            other => unreachable!("{other:?} has no lease"),
        }
        Answer::Done
    }

    pub(super) fn end(&mut self, end: End, now: i64) -> JobState {
        self.last_end = Some(end);
        let wish = self.view.requested.take();
        let goes_on_at = match end {
            End::HandedBack | End::Because(EndReason::WorkerLost) => Some(0),
            End::Because(EndReason::MachineFault) => Some(now),
            End::Because(EndReason::RunnerCrashed | EndReason::OutOfMemory) => {
                let used = self.attempts_used - i64::from(self.is_better_elsewhere(self.place));
                Some(now + (1_000 << (used - 1).max(0)))
            }
            End::Because(_) => None,
        };
        let is_failure = matches!(end, End::Because(EndReason::RunnerCrashed | EndReason::OutOfMemory));
        let is_machine_fault = end == End::Because(EndReason::MachineFault);
        let is_forgiven =
            end == End::HandedBack || is_machine_fault || is_failure && self.is_better_elsewhere(self.place);
        if is_failure || is_machine_fault {
            self.failed_at.insert(self.place);
        }
        match (end, goes_on_at) {
            (_, Some(_)) if wish == Some(Wish::Cancel) => self.close(EndReason::Cancelled),
            (End::Because(reason), Some(_)) if !is_forgiven && self.attempts_used >= self.max_attempts => {
                self.close(reason);
            }
            (End::Because(reason), None) => self.close(reason),
            (_, goes_on_at) => {
                let is_paused = wish == Some(Wish::Pause);
                self.view.state = if is_paused { JobState::Paused } else { JobState::Queued };
                self.view.step = self.last_checkpoint();
                self.not_before = goes_on_at.unwrap_or(0);
                self.attempts_used -= i64::from(is_forgiven);
            }
        }
        self.view.state
    }

    fn close(&mut self, reason: EndReason) {
        self.view.end_reason = Some(reason.as_str().to_owned());
        self.view.state = match reason {
            EndReason::Completed => JobState::Succeeded,
            EndReason::Cancelled => JobState::Cancelled,
            _ => JobState::Failed,
        };
        if reason == EndReason::Completed {
            self.view.step = STEPS as i64;
        }
    }

    pub(super) fn cancel(&mut self) -> Answer {
        match self.view.state {
            JobState::Queued | JobState::Paused => self.close(EndReason::Cancelled),
            JobState::Running => self.view.requested = Some(Wish::Cancel),
            JobState::Cancelled => {}
            JobState::Succeeded | JobState::Failed => return Answer::Conflict,
        }
        Answer::Done
    }

    pub(super) fn pause(&mut self) -> Answer {
        match self.view.state {
            JobState::Queued => self.view.state = JobState::Paused,
            JobState::Running if self.view.requested == Some(Wish::Cancel) => return Answer::Conflict,
            JobState::Running => self.view.requested = Some(Wish::Pause),
            JobState::Paused => {}
            JobState::Succeeded | JobState::Failed | JobState::Cancelled => return Answer::Conflict,
        }
        Answer::Done
    }

    pub(super) fn resume(&mut self, now: i64) -> Answer {
        match self.view.state {
            JobState::Paused => {
                self.view.state = JobState::Queued;
                self.not_before = self.not_before.max(now);
            }
            JobState::Running if self.view.requested == Some(Wish::Pause) => self.view.requested = None,
            JobState::Running | JobState::Queued => {}
            JobState::Succeeded | JobState::Failed | JobState::Cancelled => return Answer::Conflict,
        }
        Answer::Done
    }

    pub(super) fn retry(&mut self, now: i64) -> Answer {
        match self.view.state {
            JobState::Failed | JobState::Cancelled => {
                self.view.state = JobState::Queued;
                self.view.end_reason = None;
                self.view.step = self.last_checkpoint();
                self.attempts_used = 0;
                self.not_before = now;
            }
            JobState::Queued | JobState::Running => {}
            JobState::Paused | JobState::Succeeded => return Answer::Conflict,
        }
        Answer::Done
    }

    /// Where its next attempt goes on.
    pub fn last_checkpoint(&self) -> i64 {
        self.checkpoints.last().copied().unwrap_or(0)
    }
}
