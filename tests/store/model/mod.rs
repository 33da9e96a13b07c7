//! A model of the store without a database: `optlab_domain::lifecycle` for each job, and the order of claims.

mod job;

use std::collections::BTreeMap;

use optlab_domain::{
    Action, AttemptNumber, Device, EndReason, JobId, JobState, Lease, Request, WantedDevice,
};

use self::job::Job;
pub use self::job::PLACES;
use crate::fixture::BEGIN_MS;

/// One call of the store.
#[derive(Clone, Debug)]
pub enum Call {
    Submit {
        priority: i64,
        device: WantedDevice,
        max_attempts: i64,
    },
    /// A claim by a slot of this device.
    Claim {
        device: Device,
    },
    Start {
        lease: Lease,
        step: i64,
    },
    /// One point at each step; its value is the number of the attempt.
    Record {
        lease: Lease,
        steps: Vec<i64>,
    },
    AddCheckpoint {
        lease: Lease,
        step: i64,
    },
    End {
        lease: Lease,
        reason: EndReason,
    },
    Act {
        job: JobId,
        action: Action,
    },
    /// An action on the experiment of this job, which has no other job.
    ActOnAll {
        job: JobId,
        action: Action,
    },
    /// Deletion of the experiment of this job.
    Delete {
        job: JobId,
    },
    Reap,
    Advance {
        ms: i64,
    },
}

/// An answer of the store.
#[derive(Debug, PartialEq)]
pub enum Answer {
    Done,
    /// The lease and the steps of the checkpoints.
    Claimed(Option<(Lease, Vec<i64>)>),
    Recorded(Option<Request>),
    /// The job's new state.
    Ended(JobState),
    Reaped(Vec<Lease>),
    LeaseLost,
    Conflict,
    NotFound,
}

/// The visible state of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    pub state: JobState,
    pub requested: Option<Request>,
    pub attempt: AttemptNumber,
    pub step: i64,
    pub end_reason: Option<EndReason>,
    /// For each step, the attempt that recorded the point.
    pub points: BTreeMap<i64, AttemptNumber>,
}

pub struct Model {
    now: i64,
    /// The jobs in the order of their ids, which count from 1; deleted ones too.
    pub jobs: Vec<Job>,
}

impl Default for Model {
    fn default() -> Self {
        Self { now: BEGIN_MS, jobs: Vec::new() }
    }
}

impl Model {
    pub fn answer(&mut self, call: &Call) -> Answer {
        let now = self.now;
        match *call {
            Call::Submit { priority, device, max_attempts } => {
                self.jobs.push(Job::new(priority, device, max_attempts));
                Answer::Done
            }
            Call::Claim { device } => Answer::Claimed(self.claim(device)),
            Call::Start { lease, .. }
            | Call::Record { lease, .. }
            | Call::AddCheckpoint { lease, .. }
            | Call::End { lease, .. } => self.job_mut(lease.job).write(lease, call, now),
            Call::Act { job, action } => self.job_mut(job).act(action, now),
            Call::ActOnAll { job, action } => match self.job_mut(job).act(action, now) {
                Answer::NotFound => Answer::NotFound,
                _ => Answer::Done,
            },
            Call::Delete { job } => self.job_mut(job).delete(),
            Call::Reap => Answer::Reaped(self.reap()),
            Call::Advance { ms } => {
                self.now += ms;
                Answer::Done
            }
        }
    }

    pub fn job(&self, id: JobId) -> &Job {
        &self.jobs[place(id)]
    }

    /// The visible states of the jobs that exist.
    pub fn views(&self) -> Vec<View> {
        self.jobs.iter().filter(|job| !job.is_deleted).map(|job| job.view.clone()).collect()
    }

    /// The number of jobs that exist and have not succeeded.
    pub fn unfinished(&self) -> usize {
        self.views().iter().filter(|view| view.state != JobState::Succeeded).count()
    }

    fn job_mut(&mut self, id: JobId) -> &mut Job {
        &mut self.jobs[place(id)]
    }

    fn with_ids(&mut self) -> impl Iterator<Item = (JobId, &mut Job)> {
        (1..).map(JobId::from).zip(&mut self.jobs)
    }

    fn claim(&mut self, device: Device) -> Option<(Lease, Vec<i64>)> {
        let now = self.now;
        let waiting = self.with_ids().filter(|(_, job)| job.may_begin(device, now));
        let (id, job) = waiting.min_by_key(|(id, job)| (-job.priority, *id))?;
        job.begin(device, now);
        let lease = Lease { job: id, attempt: job.view.attempt };
        Some((lease, job.checkpoints.iter().rev().copied().collect()))
    }

    fn reap(&mut self) -> Vec<Lease> {
        let now = self.now;
        let lost = self.with_ids().filter(|(_, job)| job.is_lost(now));
        lost.map(|(id, job)| {
            job.end(EndReason::WorkerLost, now);
            Lease { job: id, attempt: job.view.attempt }
        })
        .collect()
    }
}

/// Where a job stands in [`Model::jobs`].
fn place(id: JobId) -> usize {
    i64::from(id) as usize - 1
}
