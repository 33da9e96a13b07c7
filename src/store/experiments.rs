//! Experiments: submitted whole, listed with how far they are.

use async_trait::async_trait;
use optlab_domain::{Action, JobState};
use optlab_spec::ExperimentSpec;

use super::{Page, StoreError};

/// An experiment with how far its jobs are.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// Its id; names are not unique.
    pub id: i64,
    /// The researcher's name for it.
    pub name: String,
    /// Free text.
    pub notes: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Put away.
    pub archived: bool,
    /// As resolved at submission.
    pub spec: ExperimentSpec,
    /// When it was submitted, milliseconds since the epoch.
    pub created_ms: i64,
    /// Its jobs by state.
    pub counts: Counts,
    /// Completed updates of all jobs.
    pub step: i64,
    /// Updates of all jobs.
    pub steps: i64,
    /// Time left at the present pace; `None` while nothing runs.
    pub eta_seconds: Option<f64>,
}

/// Jobs of an experiment by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting for a slot.
    pub queued: i64,
    /// In a slot.
    pub running: i64,
    /// Off the queue until resumed.
    pub paused: i64,
    /// Ended well.
    pub succeeded: i64,
    /// Ended otherwise.
    pub failed: i64,
    /// Ended by a person.
    pub cancelled: i64,
}

impl Counts {
    /// Every state with its jobs.
    pub fn by_state(&self) -> [(JobState, i64); 6] {
        [
            (JobState::Queued, self.queued),
            (JobState::Running, self.running),
            (JobState::Paused, self.paused),
            (JobState::Succeeded, self.succeeded),
            (JobState::Failed, self.failed),
            (JobState::Cancelled, self.cancelled),
        ]
    }
}

/// What is submitted.
pub struct Submission<'a> {
    /// Checked and resolved.
    pub spec: &'a ExperimentSpec,
    /// `Idempotency-Key` and the SHA-256 of the body that came with it.
    pub idempotency: Option<(&'a str, &'a str)>,
}

/// Changes to what a person may edit; `None` leaves as it is.
#[derive(Debug, Default)]
pub struct Edit {
    /// A new name.
    pub name: Option<String>,
    /// New notes.
    pub notes: Option<String>,
    /// New tags.
    pub tags: Option<Vec<String>>,
    /// Put away, or back.
    pub archived: Option<bool>,
    /// New priority of all jobs that have not succeeded, and of seeds that are added later.
    pub priority: Option<i64>,
}

/// What can be asked about experiments.
#[async_trait]
pub trait Experiments: Send + Sync {
    /// Stores an experiment and queues its jobs, all or nothing; returns its id. With an idempotency key that was
    /// used for the same body, the id of then, and nothing is stored.
    ///
    /// # Errors
    /// [`StoreError::KeyReused`].
    async fn submit(&self, submission: Submission<'_>) -> Result<i64, StoreError>;

    /// One experiment.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn experiment(&self, id: i64) -> Result<Experiment, StoreError>;

    /// Experiments before the id `before`, newest first.
    async fn experiments(&self, before: Option<i64>, limit: i64) -> Result<Page<Experiment>, StoreError>;

    /// Applies `edit`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn edit_experiment(&self, id: i64, edit: Edit) -> Result<(), StoreError>;

    /// Does `action` to every job that it suits; the others stay as they are.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn act_on_experiment(&self, id: i64, action: Action) -> Result<(), StoreError>;

    /// Adds jobs of new seeds to every arm; the spec lists them from then on. Seeds that it lists already add nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn add_seeds(&self, id: i64, seeds: &[u64]) -> Result<(), StoreError>;
}
