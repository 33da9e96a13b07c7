//! The metadata of a file, which is validated when it is read.

use std::collections::BTreeSet;
use std::fmt::Display;

use optlab_domain::series;
use optlab_spec::submission::parse_json;
use parquet::file::metadata::{FileMetaData, KeyValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::choices::check_choices;
use super::digest::Digest;
use super::import_error::ImportError;
use super::records::{check_experiment, check_jobs};
use crate::exchange::ExchangeError;
use crate::store::{ExperimentRecord, ExportedJob, Import};

const FORMAT: &str = "optlab.format";
const EXPERIMENT: &str = "optlab.experiment";
const JOBS: &str = "optlab.jobs";
const SERIES: &str = "optlab.series";
const DIGEST: &str = "optlab.sha256";

/// Version 1 had no digest; version 2 had times in milliseconds; version 3 had no phases.
const VERSION: &str = "4";

/// Maximum size of an experiment, in bytes; a spec is submitted in at most one megabyte.
const MOST_OF_EXPERIMENT: usize = 16 << 20;
/// Maximum average size of a job with all of its attempts, in bytes.
const MOST_OF_JOB: usize = 64 << 10;
/// Maximum number of series of an experiment, which has a few per layer of each model.
const MOST_SERIES: usize = 2_000;
const MOST_OF_SERIES: usize = MOST_SERIES * 300;

/// A series for readers of other versions; this version knows units by the name.
#[derive(Deserialize)]
struct Named {
    name: String,
}

pub(super) fn key_values(
    experiment: &ExperimentRecord,
    jobs: &[ExportedJob],
    series: &BTreeSet<String>,
    digest: Digest,
) -> Result<[KeyValue; 5], ExchangeError> {
    let about = |name: &String| {
        let series::About { unit, higher_is_better } = series::about(name);
        json!({ "name": name, "unit": unit, "higher_is_better": higher_is_better })
    };
    let text = |result: serde_json::Result<String>| result.map_err(|error| ExchangeError::Io(error.into()));
    let texts = [
        VERSION.to_owned(),
        text(serde_json::to_string(experiment))?,
        text(serde_json::to_string(jobs))?,
        Value::Array(series.iter().map(about).collect()).to_string(),
    ];
    let digest = digest.finish(texts.iter().map(String::as_str));
    let [format, experiment, jobs, series] = texts;
    let pair = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    Ok([
        pair(FORMAT, format),
        pair(EXPERIMENT, experiment),
        pair(JOBS, jobs),
        pair(SERIES, series),
        pair(DIGEST, digest),
    ])
}

/// Checks the digest of the file. `digest` contains the points; the metadata is added here.
///
/// # Errors
/// [`ExchangeError::Refused`] if the points or the metadata differ from those that were written.
pub(super) fn check_digest(file: &FileMetaData, digest: Digest) -> Result<(), ExchangeError> {
    let texts = [FORMAT, EXPERIMENT, JOBS, SERIES].map(|key| value(file, key).unwrap_or_default());
    if value(file, DIGEST) == Some(digest.finish(texts).as_str()) {
        return Ok(());
    }
    Err(ExchangeError::refused(
        "the file is damaged or was changed: its SHA-256 is not the one in it. Export or copy it again",
    ))
}

/// Reads the metadata of the file.
///
/// # Errors
/// [`ExchangeError::Refused`] with the first mistake.
pub(super) fn read(file: &FileMetaData) -> Result<Import, ExchangeError> {
    Ok(checked(file)?)
}

fn checked(file: &FileMetaData) -> Result<Import, ImportError> {
    let format = value(file, FORMAT)
        .ok_or("this Parquet file is not an export of optlab: its metadata lacks `optlab.format`")?;
    if matches!(format, "1" | "2" | "3") {
        return Err(ImportError(format!(
            "this export is of format {format}, which this version of optlab does not read: export the experiment again"
        )));
    }
    if format != VERSION {
        return Err(ImportError(format!(
            "this export is of format {format}, and this optlab reads format {VERSION}: import it with a newer one"
        )));
    }
    let points = u64::try_from(file.num_rows()).map_err(|_| "the file has a negative number of rows")?;
    let experiment: ExperimentRecord = parse(file, EXPERIMENT, MOST_OF_EXPERIMENT)?;
    let spec = check_experiment(&experiment)?;
    let jobs: Vec<ExportedJob> = parse(file, JOBS, spec.most_jobs() * MOST_OF_JOB)?;
    let frozen = check_choices(&spec, &experiment, &jobs)?;
    check_jobs(&spec, &jobs, &frozen)?;
    let series: Vec<Named> = parse(file, SERIES, MOST_OF_SERIES)?;
    let series: Vec<String> = series.into_iter().map(|series| series.name).collect();
    check_series(&series)?;
    let steps = jobs.iter().fold(0_u64, |sum, job| sum.saturating_add(job.record.steps as u64 + 1));
    let most = steps.saturating_mul(series.len() as u64);
    if points > most {
        return Err(ImportError(format!(
            "the file has {points} points, and the steps of its jobs make at most {most}"
        )));
    }
    Ok(Import { experiment, jobs, series, points })
}

fn value<'a>(file: &'a FileMetaData, key: &str) -> Option<&'a str> {
    file.key_value_metadata()?.iter().find(|pair| pair.key == key)?.value.as_deref()
}

fn parse<T: DeserializeOwned>(file: &FileMetaData, key: &str, most: usize) -> Result<T, ImportError> {
    let text = value(file, key).ok_or_else(|| format!("the file's metadata lacks `{key}`"))?;
    if text.len() > most {
        return Err(ImportError(format!(
            "`{key}` in the file's metadata has {} bytes, at most {most} are needed",
            text.len()
        )));
    }
    let wrong = |error: &dyn Display| format!("`{key}` in the file's metadata: {error}");
    let value = parse_json(text.as_bytes()).map_err(|refusal| wrong(&refusal))?;
    T::deserialize(value).map_err(|error| wrong(&error).into())
}

fn check_series(series: &[String]) -> Result<(), ImportError> {
    if series.len() > MOST_SERIES {
        return Err(ImportError(format!(
            "the file has {} series, and an experiment at most {MOST_SERIES}",
            series.len()
        )));
    }
    match series.iter().find(|name| !series::is_known(name)) {
        Some(name) => Err(ImportError(format!("the file has a series {name:?}, which no job records"))),
        None => Ok(()),
    }
}
