//! The queue for workers: claim a job, record points, end the attempt.
//!
//! A claim is a lease, which expires by the store's clock unless the attempt renews it. The number of the attempt is
//! the fence: once another attempt has begun, or the job has ended, the old one can write nothing.

mod register;
mod claim;
mod attempt;
mod record;
mod fence;
mod ends;
mod places;
mod reap;
mod preempt;

use optlab_domain::{Device, EndReason, ExperimentId, Lease, WorkerId};
use optlab_spec::JobSpec;
use optlab_spec::protocol::{Failure, Summary};

use crate::store::Artifact;

pub(in crate::store) use claim::waiting;

/// The claiming worker and device.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Id of the worker.
    pub worker: WorkerId,
    /// The device.
    pub device: Device,
}

/// A job that was claimed.
#[derive(Debug)]
pub struct Claim {
    /// The right to write.
    pub lease: Lease,
    /// The experiment, for logs.
    pub experiment_id: ExperimentId,
    /// The spec to train.
    pub spec: JobSpec,
    /// Time limit, after which the attempt ends as `timed_out`.
    pub time_limit_seconds: i64,
    /// Checkpoints of earlier attempts, the latest first.
    pub checkpoints: Vec<Artifact>,
    /// Completed updates at its next rung; `None` if it runs to its end.
    pub stop_at: Option<u64>,
}

impl Claim {
    /// The longest lease that can be configured.
    pub const LONGEST_LEASE_SECONDS: u64 = 3600;
}

/// A run that has completed all of its updates.
#[derive(Clone, Debug)]
pub struct CompleteRun {
    /// Final figures, as the runner reported them.
    pub summary: Summary,
    /// The minimum number of points that a complete run records of each of these series.
    pub points: Vec<(&'static str, u64)>,
    /// Files that could not be stored, each with the reason.
    pub missing_files: Vec<String>,
}

/// The end of an attempt.
#[derive(Clone, Debug)]
pub enum AttemptEnd {
    /// The run is complete. The job succeeds unless its curves lack points; then it is trained again from the
    /// beginning, as long as it has attempts left.
    Finished(CompleteRun),
    /// The attempt failed, for a reason from the runner or the worker. A temporary failure (memory, a crash) is retried
    /// after a growing delay, while the job's budget lasts.
    Failed(Failure),
    /// The worker stops in good order, by itself or for a pause request. The job is requeued or paused, and the attempt
    /// does not count.
    HandedBack,
    /// The job has come to its next rung, where it waits for the other trials of its arm. The attempt does not count.
    AtRung {
        /// Completed updates.
        step: u64,
        /// The minimum number of points that a run has recorded there of each of these series.
        points: Vec<(&'static str, u64)>,
    },
}

impl AttemptEnd {
    /// The machine cannot run the job; `error` says what it lacks. The job is requeued, preferably for another machine,
    /// and the attempt does not count.
    pub fn machine_fault(error: impl Into<String>) -> Self {
        Self::Failed(Failure::of(EndReason::MachineFault, error))
    }

    /// Whether the attempt ended because of a fault of the machine.
    pub fn is_machine_fault(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.reason == EndReason::MachineFault)
    }
}
