//! Experiments and jobs as clients see them: times in words, no internals.

use jiff::Timestamp;
use optlab_domain::{EndReason, JobState, Request};
use optlab_spec::Arm;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::{Counts, Experiment, Job};

/// A list, and where it goes on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    /// For `cursor`, where there is more.
    pub(super) next_cursor: Option<String>,
}

/// An experiment with how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExperimentView {
    pub(super) id: i64,
    name: String,
    notes: String,
    tags: Vec<String>,
    archived: bool,
    created_at: String,
    arms: Vec<ArmView>,
    seeds: Vec<u64>,
    counts: CountsView,
    /// Completed updates of all jobs.
    step: i64,
    /// Updates of all jobs.
    steps: i64,
    /// Time left at the present pace.
    eta_seconds: Option<f64>,
}

/// An arm by name and method.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ArmView {
    name: String,
    /// `baseline`, `opt:cayley`, ...
    method: String,
}

/// Jobs by state.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CountsView {
    queued: i64,
    running: i64,
    paused: i64,
    succeeded: i64,
    failed: i64,
    cancelled: i64,
}

/// One training run.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct JobView {
    pub(super) id: i64,
    pub(super) experiment_id: i64,
    arm: String,
    method: String,
    seed: i64,
    state: JobState,
    /// What its worker has been asked to do and has not done yet.
    requested: Option<Request>,
    end_reason: Option<EndReason>,
    error: Option<String>,
    attempt: i64,
    priority: i64,
    pub(super) step: i64,
    steps: i64,
    eta_seconds: Option<f64>,
    /// Place in the queue, from 1; null where the job does not wait, or more than 1,000 jobs go before it.
    queue_position: Option<i64>,
    /// Where the job waits and was asked for, not in an event.
    why_queued: Option<String>,
    /// Of a job that runs: its runner has said nothing for long, say.
    trouble: Option<String>,
    device: Option<String>,
    created_at: String,
    started_at: Option<String>,
    ended_at: Option<String>,
    /// Last test error in percent, of a job that has succeeded.
    test_error: Option<f64>,
    /// Last mean energy, of a job that has succeeded.
    energy: Option<f64>,
    /// Wall time of the run, of a job that has succeeded.
    seconds: Option<f64>,
}

impl From<Experiment> for ExperimentView {
    fn from(experiment: Experiment) -> Self {
        Self {
            id: experiment.id,
            name: experiment.name,
            notes: experiment.notes,
            tags: experiment.tags,
            archived: experiment.archived,
            created_at: rfc3339(experiment.created_ms),
            arms: experiment.spec.arms.iter().map(ArmView::from).collect(),
            seeds: experiment.spec.seeds,
            counts: experiment.counts.into(),
            step: experiment.step,
            steps: experiment.steps,
            eta_seconds: experiment.eta_seconds,
        }
    }
}

impl From<&Arm> for ArmView {
    fn from(arm: &Arm) -> Self {
        Self { name: arm.name.clone(), method: arm.method.to_string() }
    }
}

impl From<Counts> for CountsView {
    fn from(counts: Counts) -> Self {
        let Counts { queued, running, paused, succeeded, failed, cancelled } = counts;
        Self { queued, running, paused, succeeded, failed, cancelled }
    }
}

impl JobView {
    pub(super) fn new(job: Job, now_ms: i64) -> Self {
        Self {
            eta_seconds: eta_seconds(&job, now_ms),
            trouble: job.attempt_error.filter(|_| job.state == JobState::Running),
            id: job.id,
            experiment_id: job.experiment_id,
            arm: job.arm,
            method: job.method,
            seed: job.seed,
            state: job.state,
            requested: job.requested,
            end_reason: job.end_reason,
            error: job.error,
            attempt: job.attempt,
            priority: job.priority,
            step: job.step,
            steps: job.steps,
            queue_position: job.queue_position,
            why_queued: None,
            device: job.device,
            created_at: rfc3339(job.created_ms),
            started_at: job.started_ms.map(rfc3339),
            ended_at: job.ended_ms.map(rfc3339),
            test_error: job.test_error,
            energy: job.energy,
            seconds: job.seconds,
        }
    }
}

impl JobView {
    /// With the reason for which it waits.
    pub(super) fn waiting(self, why_queued: Option<String>) -> Self {
        Self { why_queued, ..self }
    }
}

/// Time left at the pace of the attempt so far; `None` before the first step and while the job does not run.
fn eta_seconds(job: &Job, now_ms: i64) -> Option<f64> {
    let done = job.step - job.start_step;
    let started = job.started_ms.filter(|_| job.state == JobState::Running && done > 0)?;
    let seconds_per_step = (now_ms - started) as f64 / 1000.0 / done as f64;
    Some(seconds_per_step * (job.steps - job.step) as f64)
}

/// UTC with milliseconds.
pub(super) fn rfc3339(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map(|time| format!("{time:.3}")).unwrap_or_default()
}
