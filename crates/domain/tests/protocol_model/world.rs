//! The model's state: a database with an experiment of two jobs, two workers, writes in transit, faults, and people who
//! act on jobs, delete the experiment and submit another one.

use std::collections::BTreeSet;

use optlab_domain::{self as domain, EndReason, JobState};
use strum::VariantArray;

use crate::Rules;
use crate::job::Job;
use crate::worker::{Packet, Run, Write};

const JOBS: usize = 2;
const WORKERS: usize = 2;
/// The first job can fail after two faults, while the second one can still be tried a third time.
const MAX_ATTEMPTS: [u8; JOBS] = [2, 3];

/// What may still happen to a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    pub faults: u8,
    /// How often the checkpoints of a job become unreadable.
    pub outages: u8,
    /// How often people act on a job, delete the experiment or submit another one.
    pub acts: u8,
    /// How often an engine reports that it took the machine of a lost attempt.
    pub refunds: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub jobs: [Job; JOBS],
    workers: [Option<Run>; WORKERS],
    pub under_way: BTreeSet<Packet>,
    /// Whether a write of an attempt was rejected although the attempt had not ended.
    pub dispossessed: bool,
    left: Limits,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A claim of the first job in the queue.
    Claim {
        worker: usize,
        job: usize,
    },
    Send {
        worker: usize,
        write: Write,
    },
    /// The answer is lost with the connection, so the worker does not know whether the transaction happened.
    SendAgain {
        worker: usize,
    },
    Arrive {
        packet: Packet,
        answer_is_lost: bool,
    },
    /// The process restarts without memory. Its messages stay in transit.
    Crash {
        worker: usize,
    },
    /// The storage of a job's checkpoints becomes unavailable.
    Hide {
        job: usize,
    },
    /// The storage is available again.
    Reveal {
        job: usize,
    },
    /// People act on a job.
    Act {
        job: usize,
        action: domain::Action,
    },
    /// People delete the experiment.
    Delete,
    /// Only without [`Rules::deletion_is_one_transaction`]: the deletion goes on with this job.
    DeleteRest {
        job: usize,
    },
    /// People submit an experiment after the deletion of the last one.
    Submit,
    /// An engine reports that it took the machine of an attempt that was counted as lost.
    Refund {
        job: usize,
    },
    /// The lease expires. The model has no clocks: this may happen at any time, while the worker sleeps.
    Reap {
        job: usize,
    },
}

impl World {
    pub fn new(limits: Limits) -> Self {
        Self {
            jobs: MAX_ATTEMPTS.map(|max_attempts| Job::new(1, max_attempts)),
            workers: std::array::from_fn(|_| None),
            under_way: BTreeSet::new(),
            dispossessed: false,
            left: limits,
        }
    }

    /// The possible next events.
    pub fn actions(&self, rules: Rules) -> Vec<Action> {
        let mut actions = Vec::new();
        for packet in &self.under_way {
            for answer_is_lost in [false, true] {
                actions.push(Action::Arrive { packet: packet.clone(), answer_is_lost });
            }
        }
        for (worker, run) in self.workers.iter().enumerate() {
            let Some(run) = run else {
                let queued = (0..JOBS).find(|job| self.jobs[*job].is_in(JobState::Queued));
                actions.extend(queued.map(|job| Action::Claim { worker, job }));
                continue;
            };
            actions.extend(run.writes(rules).into_iter().map(|write| Action::Send { worker, write }));
            if run.unanswered.as_ref().is_some_and(|packet| !self.under_way.contains(packet)) {
                actions.push(Action::SendAgain { worker });
            }
            actions.push(Action::Crash { worker });
        }
        let running = (0..JOBS).filter(|job| self.jobs[*job].is_in(JobState::Running));
        actions.extend(running.map(|job| Action::Reap { job }));
        let lost = (0..JOBS).filter(|job| self.left.refunds > 0 && self.jobs[*job].has_lost_attempts());
        actions.extend(lost.map(|job| Action::Refund { job }));
        actions.retain(|action| self.left.faults > 0 || !self.is_fault(action));
        actions.extend((0..JOBS).filter_map(|job| self.outage(job)));
        if self.left.acts > 0 {
            actions.extend((0..JOBS).flat_map(|job| self.acts(job)));
            actions.extend(self.deletion_or_submission(rules));
        }
        if self.jobs.iter().any(|job| job.is_deleted) {
            let rest = (0..JOBS).filter(|job| !self.jobs[*job].is_deleted);
            actions.extend(rest.map(|job| Action::DeleteRest { job }));
        }
        actions
    }

    fn deletion_or_submission(&self, rules: Rules) -> Option<Action> {
        if self.jobs.iter().all(|job| job.is_deleted) {
            return Some(Action::Submit);
        }
        let is_whole = self.jobs.iter().all(|job| !job.is_deleted);
        let is_running = self.jobs.iter().any(|job| job.is_in(JobState::Running));
        (is_whole && !(is_running && rules.deletion_waits)).then_some(Action::Delete)
    }

    fn acts(&self, job: usize) -> impl Iterator<Item = Action> {
        let possible = domain::Action::VARIANTS.iter().filter(move |&&action| self.jobs[job].can(action));
        possible.map(move |&action| Action::Act { job, action })
    }

    /// The possible events of the storage of a job's checkpoints.
    fn outage(&self, job: usize) -> Option<Action> {
        let first = self.jobs[job].checkpoints.values().next()?;
        match first.is_readable {
            true => (self.left.outages > 0).then_some(Action::Hide { job }),
            false => Some(Action::Reveal { job }),
        }
    }

    fn is_fault(&self, action: &Action) -> bool {
        match action {
            Action::Crash { .. } => true,
            Action::Arrive { answer_is_lost, .. } => *answer_is_lost,
            Action::Reap { job } => self.has_worker(*job),
            Action::Claim { .. }
            | Action::Send { .. }
            | Action::SendAgain { .. }
            | Action::Act { .. }
            | Action::Delete
            | Action::DeleteRest { .. }
            | Action::Submit
            | Action::Refund { .. }
            | Action::Hide { .. }
            | Action::Reveal { .. } => false,
        }
    }

    /// Whether a worker holds the lease of the job's last attempt.
    fn has_worker(&self, job: usize) -> bool {
        let Job { experiment, attempt, .. } = self.jobs[job];
        let mut runs = self.workers.iter().flatten();
        runs.any(|run| (run.experiment, run.job, run.attempt) == (experiment, job, attempt))
    }

    pub fn after(&self, action: &Action, rules: Rules) -> Self {
        let mut next = self.clone();
        next.left.faults -= u8::from(self.is_fault(action));
        match action {
            &Action::Claim { worker, job } => {
                next.jobs[job].claim();
                next.workers[worker] = Some(Run::of(job, &next.jobs[job]));
            }
            Action::Send { worker, write } => {
                let run = next.workers[*worker].as_mut();
                next.under_way.extend(run.map(|run| run.send(write.clone())));
            }
            Action::SendAgain { worker } => {
                let run = next.workers[*worker].as_ref();
                next.under_way.extend(run.and_then(|run| run.unanswered.clone()));
            }
            Action::Arrive { packet, answer_is_lost } => next.arrive(packet, *answer_is_lost, rules),
            Action::Crash { worker } => next.workers[*worker] = None,
            Action::Reap { job } => next.jobs[*job].end(EndReason::WorkerLost, rules),
            Action::Refund { job } => {
                next.left.refunds -= 1;
                next.jobs[*job].refund();
            }
            Action::Act { job, action } => {
                next.left.acts -= 1;
                next.jobs[*job].act(*action);
            }
            Action::Delete => {
                next.left.acts -= 1;
                let deleted = if rules.deletion_is_one_transaction { JOBS } else { 1 };
                next.jobs[..deleted].iter_mut().for_each(Job::delete);
            }
            Action::DeleteRest { job } => next.jobs[*job].delete(),
            Action::Submit => {
                next.left.acts -= 1;
                for (job, max_attempts) in next.jobs.iter_mut().zip(MAX_ATTEMPTS) {
                    *job = Job::new(job.experiment + 1, max_attempts);
                }
            }
            Action::Hide { job } => {
                next.left.outages -= 1;
                next.jobs[*job].set_readable(false);
            }
            Action::Reveal { job } => next.jobs[*job].set_readable(true),
        }
        // The workers are symmetric, so half of the states need not be explored.
        next.workers.sort();
        next
    }

    fn arrive(&mut self, packet: &Packet, answer_is_lost: bool, rules: Rules) {
        self.under_way.remove(packet);
        let job = &mut self.jobs[packet.job];
        let is_accepted = job.accepts(packet, rules);
        if is_accepted {
            job.write(packet, rules);
        } else {
            self.dispossessed |= !job.has_ended_attempt(packet);
        }
        if answer_is_lost {
            return;
        }
        for worker in &mut self.workers {
            if let Some(run) = worker.as_mut().filter(|run| run.unanswered.as_ref() == Some(packet)) {
                // A worker whose write is rejected has lost its lease and claims another job.
                let goes_on = is_accepted && run.is_acknowledged(&packet.write, job.request);
                worker.take_if(|_| !goes_on);
            }
        }
    }

    /// Whether every job ends or is paused if nothing but progress happens from now on.
    pub fn settles_if_left_alone(&self, rules: Rules) -> bool {
        let mut world = self.clone();
        loop {
            let actions = world.actions(rules);
            let is_progress = |action: &&Action| {
                let is_outside = matches!(
                    action,
                    Action::Hide { .. }
                        | Action::Reveal { .. }
                        | Action::Act { .. }
                        | Action::Refund { .. }
                        | Action::Delete
                        | Action::Submit
                );
                !world.is_fault(action) && !is_outside
            };
            let Some(action) = actions.iter().find(is_progress) else {
                return world.jobs.iter().all(Job::is_settled);
            };
            world = world.after(action, rules);
        }
    }
}
