//! The closed sets of words in a job's life, used by the database, the API and the runner protocol.

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

use crate::word::words;
use crate::{AttemptNumber, JobId};

words! {
    /// The state of a job. Lists of jobs and counts have the states in this order.
    pub enum JobState {
        /// Running in a slot.
        Running,
        /// Waiting for a slot.
        Queued,
        /// Paused until it is resumed.
        Paused,
        /// Ended with results.
        Succeeded,
        /// Ended without results.
        Failed,
        /// Ended by a person.
        Cancelled,
    }
}

/// Jobs by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "sqlx", derive(sqlx_macros::FromRow))]
#[expect(missing_docs, reason = "the fields are the words of `JobState`")]
pub struct Counts {
    pub running: i64,
    pub queued: i64,
    pub paused: i64,
    pub succeeded: i64,
    pub failed: i64,
    pub cancelled: i64,
}

impl Counts {
    /// The number of jobs in a state.
    pub fn get_mut(&mut self, state: JobState) -> &mut i64 {
        match state {
            JobState::Queued => &mut self.queued,
            JobState::Running => &mut self.running,
            JobState::Paused => &mut self.paused,
            JobState::Succeeded => &mut self.succeeded,
            JobState::Failed => &mut self.failed,
            JobState::Cancelled => &mut self.cancelled,
        }
    }

    /// Every state with the number of its jobs.
    pub fn by_state(mut self) -> impl Iterator<Item = (JobState, i64)> {
        JobState::VARIANTS.iter().map(move |&state| (state, *self.get_mut(state)))
    }

    /// Jobs that have not ended.
    pub fn unfinished(&self) -> i64 {
        self.queued + self.running + self.paused
    }
}

impl JobState {
    /// Whether the job has ended. A failed or cancelled one can be retried.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

words! {
    /// The reason why an attempt or a job ended.
    pub enum EndReason {
        /// All steps are done.
        Completed,
        /// It was not among the trials that went on from a rung of `tune.halving`. It has succeeded, with the figures of
        /// the rung.
        StoppedEarly,
        /// The spec or the set-up cannot work; another attempt would end the same way.
        UserError,
        /// A loss was not finite.
        Diverged,
        /// The device had too little memory.
        OutOfMemory,
        /// The runner ended without a reported reason.
        RunnerCrashed,
        /// The machine lacks something that the job needs: disk space, the network, a runner that starts.
        MachineFault,
        /// The lease expired without a heartbeat of the worker.
        WorkerLost,
        /// A person cancelled the job.
        Cancelled,
        /// The attempt took longer than `time_limit_seconds`.
        TimedOut,
        /// The worker handed the job back, because it shuts down or because a pause was requested.
        HandedBack,
        /// The job has reached a rung of `tune.halving`.
        AtRung,
        /// The engine that lent the machine took it away: for other work, at a time limit, or because it failed.
        Preempted,
    }
}

impl EndReason {
    /// Whether an attempt that ended for this reason failed or was cancelled.
    pub fn is_failure(self) -> bool {
        !matches!(
            self,
            Self::Completed | Self::StoppedEarly | Self::HandedBack | Self::AtRung | Self::Preempted
        )
    }

    /// Whether a job can end for this reason. The others end only attempts.
    pub fn ends_jobs(self) -> bool {
        !matches!(self, Self::MachineFault | Self::HandedBack | Self::AtRung | Self::Preempted)
    }

    /// Whether the same job might have succeeded on another machine or device. `failed_at` in the store lists the same
    /// reasons in SQL, which a test compares.
    pub fn may_be_fault_of_place(self) -> bool {
        matches!(self, Self::RunnerCrashed | Self::OutOfMemory | Self::MachineFault)
    }
}

words! {
    /// A request for the worker of a running job.
    pub enum Request {
        /// Stop for good.
        Cancel,
        /// Stop until the job is resumed.
        Pause,
    }
}

words! {
    /// The purpose of a job.
    pub enum Phase {
        /// It tries one point of an arm's space, judged on validation data. It never sees the test set.
        Trial,
        /// It counts in the comparison. In an experiment that is not tuned, every job does.
        Confirm,
    }
}

words! {
    /// Why the choice of a tuned arm is not made for now, although its trials may have ended.
    pub enum Hold {
        /// A person cancelled the experiment.
        Cancelled,
        /// A person paused the experiment.
        Paused,
        /// Every trial has failed, so there is nothing to choose.
        Failed,
    }
}

impl Phase {
    /// The phase of a job with this number of a trial.
    pub fn of(trial: Option<i64>) -> Self {
        if trial.is_some() { Self::Trial } else { Self::Confirm }
    }
}

/// An action of a person on a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Action {
    /// End it.
    Cancel,
    /// Pause it.
    Pause,
    /// Requeue it after a pause.
    Resume,
    /// Requeue it after it has failed or was cancelled, with a fresh budget of attempts.
    Retry,
}

/// The right of one attempt to write to its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// Number of the attempt.
    pub attempt: AttemptNumber,
}
