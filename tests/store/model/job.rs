//! One job of the model.

use std::collections::{BTreeMap, BTreeSet};

use optlab_domain::lifecycle::{self, Budget, Change, Ending, LONGEST_WAIT_FOR_PLACE_MS, Outcome};
use optlab_domain::{Action, AttemptNumber, Device, EndReason, JobState, Lease, WantedDevice};

use super::{Answer, Call, View};
use crate::fixture::{LEASE_MS, STEPS};

/// The devices of the one worker.
pub const PLACES: [Device; 2] = [Device::Cpu, Device::Cuda(0)];

pub struct Job {
    pub view: View,
    pub checkpoints: BTreeSet<i64>,
    pub(super) is_deleted: bool,
    pub(super) priority: i64,
    wanted: WantedDevice,
    max_attempts: i64,
    attempts_used: i64,
    not_before: i64,
    lease_until: i64,
    /// The device of the last attempt.
    place: Option<Device>,
    /// Devices on which an attempt has failed.
    failed_at: BTreeSet<Device>,
    /// The end of the last attempt; `None` while it runs.
    last_end: Option<EndReason>,
}

impl Job {
    pub(super) fn new(priority: i64, wanted: WantedDevice, max_attempts: i64) -> Self {
        let view = View {
            state: JobState::Queued,
            requested: None,
            attempt: AttemptNumber::NONE,
            step: 0,
            end_reason: None,
            points: BTreeMap::new(),
        };
        Self {
            view,
            checkpoints: BTreeSet::new(),
            is_deleted: false,
            priority,
            wanted,
            max_attempts,
            attempts_used: 0,
            not_before: 0,
            lease_until: 0,
            place: None,
            failed_at: BTreeSet::new(),
            last_end: None,
        }
    }

    pub(super) fn may_begin(&self, device: Device, now: i64) -> bool {
        let suits = self.wanted.admits(device.kind());
        let waits_for_another =
            self.is_better_elsewhere(device) && now < self.not_before + LONGEST_WAIT_FOR_PLACE_MS;
        let waits = self.view.state == JobState::Queued && !self.is_deleted;
        waits && self.not_before <= now && suits && !waits_for_another
    }

    /// Whether it has failed here and could go to a place where it has not failed.
    fn is_better_elsewhere(&self, device: Device) -> bool {
        let others = if self.wanted == WantedDevice::Any { PLACES.len() - 1 } else { 0 };
        self.failed_at.contains(&device) && self.failed_at.len() - 1 < others
    }

    pub(super) fn begin(&mut self, device: Device, now: i64) {
        self.view.state = JobState::Running;
        self.view.attempt = self.view.attempt.next();
        self.attempts_used += 1;
        self.lease_until = now + LEASE_MS;
        self.place = Some(device);
        self.last_end = None;
    }

    pub(super) fn is_lost(&self, now: i64) -> bool {
        self.view.state == JobState::Running && self.lease_until < now
    }

    /// The running attempt may write; an ended one may only repeat its end.
    pub(super) fn write(&mut self, lease: Lease, call: &Call, now: i64) -> Answer {
        if self.is_deleted {
            return Answer::LeaseLost;
        }
        if !lifecycle::may_write(lease, self.view.state, self.view.attempt) {
            let is_last = self.view.attempt == lease.attempt;
            return match call {
                Call::End { reason, .. } if is_last && self.last_end == Some(*reason) => {
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
            Call::End { reason, .. } => return Answer::Ended(self.end(*reason, now)),
            other => unreachable!("{other:?} has no lease"),
        }
        Answer::Done
    }

    pub(super) fn end(&mut self, reason: EndReason, now: i64) -> JobState {
        self.last_end = Some(reason);
        let place = self.place.expect("its attempt has begun");
        let is_elsewhere_untried = self.is_better_elsewhere(place);
        if reason.may_be_fault_of_place() {
            self.failed_at.insert(place);
        }
        let budget = Budget { used: self.attempts_used, limit: self.max_attempts };
        let request = self.view.requested.take();
        match lifecycle::end(Ending { reason, request, budget, is_elsewhere_untried }, now) {
            Outcome::Finished { state, reason } => self.close(state, reason),
            Outcome::Released { state, counts, not_before_ms } => {
                self.view.state = state;
                self.view.step = self.last_checkpoint();
                self.not_before = not_before_ms.unwrap_or(0);
                self.attempts_used -= i64::from(!counts);
            }
        }
        self.view.state
    }

    fn close(&mut self, state: JobState, reason: EndReason) {
        self.view.state = state;
        self.view.end_reason = Some(reason);
        if state == JobState::Succeeded {
            self.view.step = STEPS as i64;
        }
    }

    /// A running job keeps its experiment.
    pub(super) fn delete(&mut self) -> Answer {
        match (self.is_deleted, self.view.state) {
            (true, _) => Answer::NotFound,
            (false, JobState::Running) => Answer::Conflict,
            (false, _) => {
                self.is_deleted = true;
                Answer::Done
            }
        }
    }

    pub(super) fn act(&mut self, action: Action, now: i64) -> Answer {
        if self.is_deleted {
            return Answer::NotFound;
        }
        let Ok(change) = lifecycle::act(action, self.view.state, self.view.requested) else {
            return Answer::Conflict;
        };
        match change {
            None => {}
            Some(Change::SetRequest(request)) => self.view.requested = request,
            Some(Change::Pause) => self.view.state = JobState::Paused,
            Some(Change::Cancel) => self.close(JobState::Cancelled, EndReason::Cancelled),
            Some(Change::Resume) => {
                self.view.state = JobState::Queued;
                self.not_before = self.not_before.max(now);
            }
            Some(Change::Requeue) => {
                self.view.state = JobState::Queued;
                self.view.end_reason = None;
                self.view.step = self.last_checkpoint();
                self.attempts_used = 0;
                self.not_before = now;
            }
        }
        Answer::Done
    }

    /// The step from which its next attempt resumes.
    pub fn last_checkpoint(&self) -> i64 {
        self.checkpoints.last().copied().unwrap_or(0)
    }
}
