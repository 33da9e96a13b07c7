//! What stands in the metadata of a file: written as it is, and read with distrust.

use std::collections::{BTreeSet, HashSet};

use optlab_spec::protocol::EndReason;
use optlab_spec::{ExperimentSpec, Fields, JobSpec, series};
use parquet::file::metadata::{FileMetaData, KeyValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::exchange::ExchangeError;
use crate::store::{AttemptEnd, AttemptRecord, ExperimentRecord, Import, JobRecord, ResultsRecord};

const FORMAT: &str = "optlab.format";
const EXPERIMENT: &str = "optlab.experiment";
const JOBS: &str = "optlab.jobs";
const SERIES: &str = "optlab.series";

/// The only version of the format so far.
const VERSION: &str = "1";

/// What a reader of another version wants of a series; units are known by the name.
#[derive(Deserialize)]
struct Named {
    name: String,
}

pub(super) fn key_values(
    experiment: &ExperimentRecord,
    jobs: &[JobRecord],
    series: &BTreeSet<String>,
) -> Result<[KeyValue; 4], ExchangeError> {
    let about = |name: &String| {
        let series::About { unit, higher_is_better } = series::about(name);
        json!({ "name": name, "unit": unit, "higher_is_better": higher_is_better })
    };
    let text = |result: serde_json::Result<String>| result.map_err(|error| ExchangeError::Io(error.into()));
    let pair = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    Ok([
        pair(FORMAT, VERSION.to_owned()),
        pair(EXPERIMENT, text(serde_json::to_string(experiment))?),
        pair(JOBS, text(serde_json::to_string(jobs))?),
        pair(SERIES, Value::Array(series.iter().map(about).collect()).to_string()),
    ])
}

/// Reads what the file says of itself.
///
/// # Errors
/// [`ExchangeError::Refused`] with the first thing that an import could not be made of.
pub(super) fn read(file: &FileMetaData) -> Result<Import, ExchangeError> {
    checked(file).map_err(ExchangeError::Refused)
}

fn checked(file: &FileMetaData) -> Result<Import, String> {
    let format = value(file, FORMAT)
        .ok_or("this Parquet file is no export of optlab: its metadata lacks `optlab.format`")?;
    if format != VERSION {
        return Err(format!(
            "this export is of format {format}, and this optlab reads format {VERSION}: import it with a newer one"
        ));
    }
    let points = u64::try_from(file.num_rows()).map_err(|_| "the file has a negative number of rows")?;
    let series: Vec<Named> = parse(file, SERIES)?;
    let import = Import {
        experiment: parse(file, EXPERIMENT)?,
        jobs: parse(file, JOBS)?,
        series: series.into_iter().map(|series| series.name).collect(),
        points,
    };
    check_series(&import.series)?;
    let spec = check_experiment(&import.experiment)?;
    check_jobs(&spec, &import.jobs)?;
    Ok(import)
}

fn value<'a>(file: &'a FileMetaData, key: &str) -> Option<&'a str> {
    file.key_value_metadata()?.iter().find(|pair| pair.key == key)?.value.as_deref()
}

fn parse<T: DeserializeOwned>(file: &FileMetaData, key: &str) -> Result<T, String> {
    let text = value(file, key).ok_or_else(|| format!("the file's metadata lacks `{key}`"))?;
    serde_json::from_str(text).map_err(|error| format!("`{key}` in the file's metadata: {error}"))
}

fn check_series(series: &[String]) -> Result<(), String> {
    let fits = |name: &&String| (1..=200).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic());
    match series.iter().find(|name| !fits(name)) {
        Some(name) => {
            Err(format!("a series is called {name:?}; 1 to 200 visible ASCII characters are needed"))
        }
        None => Ok(()),
    }
}

/// What a person may edit is held to the same rules as where it is edited.
fn check_experiment(experiment: &ExperimentRecord) -> Result<ExperimentSpec, String> {
    let ExperimentRecord { name, notes, tags, .. } = experiment;
    let edited = json!({ "name": name, "notes": notes, "tags": tags });
    Fields::read(&edited, |fields| (fields.identifier("name"), fields.notes(), fields.tags()))
        .map_err(|problems| format!("the experiment: {problems}"))?;
    ExperimentSpec::from_stored(&experiment.spec).map_err(|problems| format!("the spec: {problems}"))
}

/// One job for each arm and seed of the spec, and each as the spec has it.
fn check_jobs(spec: &ExperimentSpec, jobs: &[JobRecord]) -> Result<(), String> {
    let mut ids = HashSet::new();
    let mut missing: HashSet<(&str, i64)> = spec
        .arms
        .iter()
        .flat_map(|arm| spec.seeds.iter().map(|&seed| (arm.name.as_str(), seed as i64)))
        .collect();
    for job in jobs {
        let called = format!("job {} ({} with seed {})", job.id, job.arm, job.seed);
        if !missing.remove(&(job.arm.as_str(), job.seed)) || !ids.insert(job.id) {
            return Err(format!("{called} is not of the spec, or stands there twice"));
        }
        check_job(spec, job).map_err(|problem| format!("{called} {problem}"))?;
    }
    match missing.iter().min() {
        Some((arm, seed)) => Err(format!("the job of {arm} with seed {seed} is missing")),
        None => Ok(()),
    }
}

fn check_job(spec: &ExperimentSpec, job: &JobRecord) -> Result<(), String> {
    let own =
        JobSpec::from_stored(&job.spec).map_err(|problems| format!("has a spec of its own: {problems}"))?;
    let arm = spec.arms.iter().find(|arm| arm.name == job.arm);
    if arm.is_none_or(|arm| spec.job(arm, job.seed as u64) != own) {
        return Err("has another spec than the experiment gives it".to_owned());
    }
    let method = own.method.to_string();
    if job.method != method {
        return Err(format!("is called a job of {}, and its spec is one of {method}", job.method));
    }
    let steps = own.train.total_steps() as i64;
    if job.steps != steps {
        return Err(format!("has {} steps, and its spec makes {steps}", job.steps));
    }
    if !(0..=job.steps).contains(&job.step) {
        return Err(format!("is at step {} of {}", job.step, job.steps));
    }
    if job.state.has_ended() && job.ended_ms.is_none() {
        return Err(format!("has {} at no time", job.state.as_str()));
    }
    check_results(&job.results)?;
    let numbers = job.attempts.iter().map(|attempt| attempt.number);
    if !numbers.eq(1..=job.attempt) || !(0..=job.attempt).contains(&job.attempts_before) {
        return Err(format!("has other attempts than the {} that it should have", job.attempt));
    }
    let of_attempts =
        job.attempts.iter().filter_map(|AttemptRecord { end_reason, .. }| end_reason.as_deref());
    let unknown = job.end_reason.as_deref().filter(|reason| !is_reason(reason)).or_else(|| {
        of_attempts.filter(|&reason| reason != AttemptEnd::HANDED_BACK).find(|reason| !is_reason(reason))
    });
    unknown.map_or(Ok(()), |reason| Err(format!("ended by {reason:?}, which nothing does")))
}

fn check_results(results: &ResultsRecord) -> Result<(), String> {
    let percentages = [
        ("test_accuracy", results.test_accuracy),
        ("best_test_accuracy", results.best_test_accuracy),
        ("test_error", results.test_error),
    ];
    let wrong =
        percentages.into_iter().find(|(_, value)| value.is_some_and(|value| !(0.0..=100.0).contains(&value)));
    wrong.map_or(Ok(()), |(name, value)| {
        Err(format!("has a {name} of {}, and percentages go from 0 to 100", value.unwrap_or_default()))
    })
}

fn is_reason(word: &str) -> bool {
    EndReason::deserialize(Value::from(word)).is_ok()
}
