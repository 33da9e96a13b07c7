//! Checks that optlab could have produced the experiment and its jobs, because files are not trusted.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use optlab_domain::{EndReason, JobRecord, JobState, Phase};
use optlab_spec::{Arm, ExperimentSpec, Fields, JobSpec, MOST_JOBS};
use serde_json::json;

use super::choices::Frozen;
use super::import_error::ImportError;
use crate::store::{ExperimentRecord, ExportedJob, ResultsRecord};

/// Valid times in milliseconds since the epoch, from 1970 to 9999.
const TIMES: RangeInclusive<i64> = 0..=253_402_300_799_999;
/// Valid durations of a run in seconds, up to thirty years.
const SECONDS: RangeInclusive<f64> = 0.0..=1e9;

/// Applies the rules for edits to the editable fields.
pub(super) fn check_experiment(experiment: &ExperimentRecord) -> Result<ExperimentSpec, ImportError> {
    let ExperimentRecord { name, notes, tags, created_ms, provenance, .. } = experiment;
    check_times([Some(*created_ms)]).map_err(|problem| format!("the experiment {problem}"))?;
    if let Some(mistake) = provenance.mistake() {
        return Err(ImportError(format!("the experiment {mistake}")));
    }
    let edited = json!({ "name": name, "notes": notes, "tags": tags });
    Fields::read(&edited, |fields| (fields.name("name"), fields.notes(), fields.tags())).map_err(
        |problems| format!("the experiment: {problems}; edit it on its server and export it again"),
    )?;
    let spec = ExperimentSpec::from_stored(&experiment.spec);
    let spec = spec.map_err(|problems| format!("the spec: {problems}"))?;
    match spec.most_jobs() {
        1..=MOST_JOBS => Ok(spec),
        jobs => Err(ImportError(format!("the spec makes {jobs} jobs; 1 to {MOST_JOBS} are allowed"))),
    }
}

/// Checks that there is one job per arm and seed, and that each matches the spec. A tuned arm has its trials, and the
/// others only if its choice is in `frozen`.
pub(super) fn check_jobs(
    spec: &ExperimentSpec,
    jobs: &[ExportedJob],
    frozen: &Frozen<'_>,
) -> Result<(), ImportError> {
    let mut ids = HashSet::new();
    let planned = planned(spec, frozen);
    let key = |job: &JobSpec| (job.arm.clone(), job.trial.map(|trial| trial as i64), job.seed as i64);
    let mut missing: HashMap<_, &JobSpec> = planned.iter().map(|job| (key(job), job)).collect();
    for job in jobs {
        let record = &job.record;
        let called = format!("job {} ({} with seed {})", record.id, record.arm, record.seed);
        let planned = missing.remove(&(record.arm.clone(), record.trial, record.seed));
        let planned = planned.filter(|_| ids.insert(record.id) && record.phase == Phase::of(record.trial));
        let Some(planned) = planned else {
            return Err(ImportError(format!("{called} is not in the spec, or is a duplicate")));
        };
        check_job(planned, job).map_err(|problem| format!("{called} {problem}"))?;
    }
    match missing.into_keys().min() {
        Some((arm, _, seed)) => Err(ImportError(format!("the job of {arm} with seed {seed} is missing"))),
        None => Ok(()),
    }
}

/// The jobs that the spec makes: those of its first phase, and those that confirm the frozen choices.
fn planned(spec: &ExperimentSpec, frozen: &Frozen<'_>) -> Vec<JobSpec> {
    let mut planned = spec.jobs();
    let chosen = |arm: &Arm| spec.trial(arm, *frozen.get(arm.name.as_str())?);
    for job in spec.arms.iter().filter_map(chosen) {
        planned.extend(spec.seeds.iter().map(|&seed| job.confirm(seed)));
    }
    planned
}

fn check_job(planned: &JobSpec, job: &ExportedJob) -> Result<(), ImportError> {
    let record = &job.record;
    let own =
        JobSpec::from_stored(&job.spec).map_err(|problems| format!("has a spec of its own: {problems}"))?;
    if *planned != own {
        return Err("has a spec that differs from the experiment's".into());
    }
    let method = own.method.to_string();
    if record.method != method {
        return Err(ImportError(format!("has the method {}, but its spec has {method}", record.method)));
    }
    let steps = own.train.total_steps() as i64;
    if record.steps != steps {
        return Err(ImportError(format!("has {} steps, and its spec makes {steps}", record.steps)));
    }
    if !(0..=record.steps).contains(&record.step) {
        return Err(ImportError(format!("is at step {} of {}", record.step, record.steps)));
    }
    check_rungs(&own, record)?;
    if record.state.has_ended() && record.ended_ms.is_none() {
        return Err(ImportError(format!("is {} without a time", record.state)));
    }
    Fields::read(&json!({ "priority": record.priority }), |fields| fields.priority())
        .map_err(|problems| format!("has a wrong priority: {problems}"))?;
    check_times([Some(record.created_ms), record.started_ms, record.ended_ms])?;
    for attempt in &job.attempts {
        check_times([Some(attempt.started_ms), attempt.ended_ms])?;
        check_seconds(attempt.seconds)?;
    }
    check_results(job)?;
    let numbers = job.attempts.iter().map(|attempt| i64::from(attempt.number));
    let attempts = i64::from(record.attempt);
    if !numbers.eq(1..=attempts) || !(0..=attempts).contains(&job.attempts_before) {
        return Err(ImportError(format!("does not have the expected {attempts} attempts")));
    }
    match record.end_reason.filter(|reason| !reason.ends_jobs()) {
        Some(reason) => Err(ImportError(format!("ended by {reason}, which ends only attempts"))),
        None => Ok(()),
    }
}

/// Checks that the job has passed, waits at or was stopped at rungs of its spec.
fn check_rungs(own: &JobSpec, record: &JobRecord) -> Result<(), ImportError> {
    let passed = usize::try_from(record.rungs_passed).ok().filter(|passed| *passed <= own.rungs.len());
    let Some(passed) = passed else {
        return Err(ImportError(format!("has passed {} rungs of {}", record.rungs_passed, own.rungs.len())));
    };
    let stopped = (record.end_reason == Some(EndReason::StoppedEarly)).then_some(record.step);
    match record.waits_at.or(stopped) {
        Some(at) if own.rungs.get(passed).map(|rung| *rung as i64) != Some(at) => {
            Err(ImportError(format!("is at a rung of step {at}, which its spec does not have")))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_times<const N: usize>(times: [Option<i64>; N]) -> Result<(), ImportError> {
    match times.into_iter().flatten().find(|time| !TIMES.contains(time)) {
        Some(time) => {
            Err(ImportError(format!("has a time of {time} ms, which is not between the years 1970 and 9999")))
        }
        None => Ok(()),
    }
}

fn check_seconds(seconds: Option<f64>) -> Result<(), ImportError> {
    match seconds.filter(|seconds| !SECONDS.contains(seconds)) {
        Some(seconds) => Err(ImportError(format!("has taken {seconds} seconds, which is impossible"))),
        None => Ok(()),
    }
}

fn has_test_figure(results: &ResultsRecord) -> bool {
    [results.test_accuracy, results.best_test_accuracy, results.test_error].iter().any(Option::is_some)
}

/// Checks that exactly the succeeded jobs have final figures.
fn check_results(job: &ExportedJob) -> Result<(), ImportError> {
    let (record, results) = (&job.record, &job.results);
    let completed = match record.end_reason {
        Some(EndReason::Completed) => true,
        Some(EndReason::StoppedEarly) => record.phase == Phase::Trial,
        _ => false,
    };
    let judged = match record.phase {
        Phase::Trial => results.validation_accuracy,
        Phase::Confirm => results.test_accuracy,
    };
    match record.state {
        JobState::Succeeded if !completed || judged.is_none() => {
            return Err("has succeeded without results".into());
        }
        JobState::Succeeded if record.phase == Phase::Trial && has_test_figure(results) => {
            return Err("is a trial and has figures of the test set, which no trial sees".into());
        }
        JobState::Succeeded => {}
        state if completed || *results != ResultsRecord::default() => {
            return Err(ImportError(format!("is {state} and has results")));
        }
        _ => {}
    }
    check_seconds(results.seconds)?;
    let percentages = [
        ("test_accuracy", results.test_accuracy),
        ("best_test_accuracy", results.best_test_accuracy),
        ("test_error", results.test_error),
        ("validation_accuracy", results.validation_accuracy),
        ("best_validation_accuracy", results.best_validation_accuracy),
        ("validation_error", results.validation_error),
    ];
    let wrong =
        percentages.into_iter().find(|(_, value)| value.is_some_and(|value| !(0.0..=100.0).contains(&value)));
    if let Some((name, value)) = wrong {
        let value = value.unwrap_or_default();
        return Err(ImportError(format!("has a {name} of {value}, and percentages go from 0 to 100")));
    }
    let negative = [results.peak_memory_bytes, job.parameters_trained].into_iter().flatten().any(|n| n < 0);
    if negative || results.energy.is_some_and(|energy| !energy.is_finite()) {
        return Err("has a negative number of bytes or parameters, or an energy that is not finite".into());
    }
    Ok(())
}
