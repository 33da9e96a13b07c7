//! Answers from records of the store, with times as text and without internals.

use jiff::Timestamp;
use optlab_api_types::{ArmSummary, Counts, ExperimentSummary, Job, SeriesInfo};
use optlab_domain::JobState;
use optlab_spec::Arm;

use crate::store;

impl From<store::Experiment> for ExperimentSummary {
    fn from(experiment: store::Experiment) -> Self {
        Self {
            id: experiment.id,
            name: experiment.name,
            notes: experiment.notes,
            tags: experiment.tags,
            archived: experiment.archived,
            created_at: rfc3339(experiment.created_ms),
            arms: experiment.spec.arms.iter().map(arm).collect(),
            seeds: experiment.spec.seeds,
            counts: experiment.counts.into(),
            step: experiment.step,
            steps: experiment.steps,
            eta_seconds: experiment.eta_seconds,
        }
    }
}

fn arm(arm: &Arm) -> ArmSummary {
    ArmSummary { name: arm.name.clone(), method: arm.method.to_string() }
}

impl From<store::Counts> for Counts {
    fn from(counts: store::Counts) -> Self {
        let store::Counts { queued, running, paused, succeeded, failed, cancelled } = counts;
        Self { queued, running, paused, succeeded, failed, cancelled }
    }
}

impl From<store::Series> for SeriesInfo {
    fn from(series: store::Series) -> Self {
        let store::Series { name, unit, higher_is_better } = series;
        Self { name, unit, higher_is_better }
    }
}

/// A job at the time `now_ms`, without the reason why it waits.
pub(super) fn job(job: store::Job, now_ms: i64) -> Job {
    Job {
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

/// Time left at the pace of the attempt so far; `None` before the first step and while the job does not run.
fn eta_seconds(job: &store::Job, now_ms: i64) -> Option<f64> {
    let done = job.step - job.start_step;
    let started = job.started_ms.filter(|_| job.state == JobState::Running && done > 0)?;
    let seconds_per_step = (now_ms - started) as f64 / 1000.0 / done as f64;
    Some(seconds_per_step * (job.steps - job.step) as f64)
}

/// A time in UTC with milliseconds.
pub(super) fn rfc3339(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map(|time| format!("{time:.3}")).unwrap_or_default()
}
