//! Answers from records of the store, with times as text and without internals.

use optlab_api_types::{ArmSummary, ExperimentSummary, Job, SeriesInfo};
use optlab_domain::JobState;
use optlab_domain::time::rfc3339;
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
            baseline: experiment.spec.baseline,
            seeds: experiment.spec.seeds,
            counts: experiment.counts,
            step: experiment.step,
            steps: experiment.steps,
            eta_seconds: experiment.eta_seconds,
            tuning: experiment.tuning.map(Into::into),
        }
    }
}

fn arm(arm: &Arm) -> ArmSummary {
    ArmSummary { name: arm.name.clone(), method: arm.method.to_string() }
}

impl From<store::Series> for SeriesInfo {
    fn from(series: store::Series) -> Self {
        let store::Series { name, unit, higher_is_better } = series;
        Self { name, unit, higher_is_better }
    }
}

/// A job, without the reason why it waits.
pub(super) fn job(job: store::Job) -> Job {
    Job {
        eta_seconds: job.seconds_left(),
        queue_position: job.queue_position,
        why_queued: None,
        trouble: job.attempt_error.filter(|_| job.record.state == JobState::Running),
        device: job.device,
        test_error: job.test_error,
        energy: job.energy,
        seconds: job.seconds,
        record: job.record,
    }
}
