//! Checks that the choices of tuned arms follow from their trials, because files are not trusted.

use std::collections::HashMap;

use optlab_domain::Phase;
use optlab_domain::database::JsonText;
use optlab_spec::{ExperimentSpec, JobSpec};

use super::import_error::ImportError;
use crate::store::{Candidate, Choice, ExperimentRecord, ExportedJob, TrialRun};

/// The chosen trials of the arms whose choice is frozen.
pub(super) type Frozen<'a> = HashMap<&'a str, u64>;

/// Checks that exactly the tuned arms have a choice, and that each frozen one is that of the exported trials.
pub(super) fn check_choices<'a>(
    spec: &ExperimentSpec,
    experiment: &'a ExperimentRecord,
    jobs: &[ExportedJob],
) -> Result<Frozen<'a>, ImportError> {
    let mut tuned: Vec<&str> =
        spec.arms.iter().filter(|arm| arm.tune.is_some()).map(|arm| arm.name.as_str()).collect();
    let mut named: Vec<&str> = experiment.choices.iter().map(|choice| choice.arm.as_str()).collect();
    tuned.sort_unstable();
    named.sort_unstable();
    if tuned != named {
        return Err("the file has choices of other arms than those that the spec tunes".into());
    }
    let mut frozen = Frozen::new();
    for choice in &experiment.choices {
        let wrong = || ImportError(format!("the choice of {} does not follow from its trials", choice.arm));
        match choice {
            Choice { trial: None, candidates: None, frozen_ms: None, .. } => {}
            Choice {
                trial: Some(trial), candidates: Some(JsonText(candidates)), frozen_ms: Some(_), ..
            } => {
                let expected = Candidate::ranked(&runs(&choice.arm, jobs).ok_or_else(wrong)?);
                let best = expected.first().filter(|best| best.score.is_some() && best.trial == *trial);
                if best.is_none() || *candidates != expected {
                    return Err(wrong());
                }
                frozen.insert(&choice.arm, *trial as u64);
            }
            _ => return Err(wrong()),
        }
    }
    Ok(frozen)
}

/// The runs of the trials of an arm, by trial and seed; `None` if one has no readable spec.
fn runs(arm: &str, jobs: &[ExportedJob]) -> Option<Vec<TrialRun>> {
    let trials = jobs.iter().filter(|job| job.record.arm == arm && job.record.phase == Phase::Trial);
    let run = |job: &ExportedJob| {
        let record = &job.record;
        Some(TrialRun {
            job_id: record.id,
            arm: record.arm.clone(),
            trial: record.trial?,
            seed: record.seed,
            state: record.state,
            end_reason: record.end_reason,
            step: record.step,
            waits_at: record.waits_at,
            steps: record.steps,
            point: JsonText(JobSpec::from_stored(&job.spec).ok()?.point),
            validation_error: job.results.validation_error,
            seconds: job.results.seconds,
        })
    };
    let mut runs: Vec<TrialRun> = trials.map(run).collect::<Option<_>>()?;
    runs.sort_by_key(|run| (run.trial, run.seed));
    Some(runs)
}
