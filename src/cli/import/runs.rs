//! Runs of `optlab train` as one experiment: a Parquet export of it, which the server imports like any other.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use optlab_domain::database::JsonText;
use optlab_domain::{AttemptNumber, EndReason, ExperimentId, JobId, JobRecord, JobState, Provenance};
use optlab_spec::{Arm, ExperimentSpec};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::train::FinishedRun;
use crate::exchange::{ParquetWriter, PointWriter};
use crate::store::{ExperimentRecord, ExportedJob, ResultsRecord};

/// Writes the runs in `folders` to an unnamed temporary file.
pub(super) fn export(folders: &[PathBuf]) -> anyhow::Result<File> {
    let runs: Vec<FinishedRun> =
        folders.iter().map(|folder| FinishedRun::read(folder)).collect::<anyhow::Result<_>>()?;
    let spec = joined(&runs)?;
    let jobs = jobs(&spec, &runs);
    let records: Vec<ExportedJob> = jobs.iter().map(|(job, _)| job.clone()).collect();
    let mut file = tempfile::tempfile()?;
    let mut out = BufWriter::new(&file);
    let mut writer = Box::new(ParquetWriter::new(&mut out, &experiment(&spec, &runs)?, &records)?);
    for (job, run) in &jobs {
        for (series, points) in run.iter().flat_map(|run| &run.curves) {
            writer.write(job, series, points)?;
        }
    }
    writer.finish()?;
    out.flush()?;
    drop(out);
    file.rewind()?;
    Ok(file)
}

/// The spec of an experiment with all runs: their arms in the order of the folders, and their seeds.
fn joined(runs: &[FinishedRun]) -> anyhow::Result<ExperimentSpec> {
    let first = &runs[0];
    let mut spec = first.spec.clone();
    for (place, run) in runs.iter().enumerate().skip(1) {
        let (arm, seed) = (&run.spec.arms[0], run.spec.seeds[0]);
        if let Some(field) = different(&without_cells(&first.spec), &without_cells(&run.spec)) {
            bail!(
                "{} and {} belong to different experiments: they differ in {field}. Import them by a command each",
                first.folder.display(),
                run.folder.display()
            );
        }
        let twice = runs[..place]
            .iter()
            .find(|other| other.spec.arms[0].name == arm.name && other.spec.seeds[0] == seed);
        if let Some(twice) = twice {
            bail!(
                "{} and {} are the same run: {} with seed {seed}. Import one of them",
                twice.folder.display(),
                run.folder.display(),
                arm.name
            );
        }
        match spec.arms.iter().find(|known| known.name == arm.name) {
            None => spec.arms.push(arm.clone()),
            Some(known) => {
                let field = different(known, arm);
                ensure!(
                    field.is_none(),
                    "the arm {} of {} differs from that of an earlier folder in {}",
                    arm.name,
                    run.folder.display(),
                    field.unwrap_or_default()
                );
            }
        }
        spec.seeds.push(seed);
    }
    spec.seeds.sort_unstable();
    spec.seeds.dedup();
    if runs.len() > 1 {
        spec.baseline = baseline(&spec, runs)?;
    }
    Ok(spec)
}

/// The baseline that a run names, else the only arm whose method is `baseline`.
fn baseline(spec: &ExperimentSpec, runs: &[FinishedRun]) -> anyhow::Result<Option<String>> {
    let named = runs.iter().find_map(|run| run.written.get("baseline")?.as_str());
    let mut value = serde_json::to_value(spec)?;
    value["baseline"] = named.into();
    Ok(ExperimentSpec::from_stored(&value)?.baseline)
}

/// What the runs of one experiment share.
fn without_cells(spec: &ExperimentSpec) -> ExperimentSpec {
    ExperimentSpec { arms: Vec::new(), seeds: Vec::new(), baseline: None, ..spec.clone() }
}

/// The first field in which two specs differ.
fn different<T: Serialize>(one: &T, other: &T) -> Option<String> {
    let value = |spec: &T| serde_json::to_value(spec).unwrap_or_default();
    let pointer = first_difference(&value(one), &value(other), String::new())?;
    Some(pointer.trim_start_matches('.').to_owned())
}

fn first_difference(one: &Value, other: &Value, path: String) -> Option<String> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
            let of = |table: &Map<String, Value>, name: &str| table.get(name).cloned().unwrap_or_default();
            names
                .into_iter()
                .find_map(|name| first_difference(&of(one, name), &of(other, name), format!("{path}.{name}")))
        }
        _ => (one != other).then_some(path),
    }
}

fn experiment(spec: &ExperimentSpec, runs: &[FinishedRun]) -> anyhow::Result<ExperimentRecord> {
    let created_ms = runs.iter().map(|run| run.job.record.created_ms).min();
    let (submitted_text, provenance) = match runs {
        [run] => (Some(run.written.to_string()), run.provenance.clone()),
        runs => (None, shared(runs)),
    };
    Ok(ExperimentRecord {
        id: ExperimentId::from(1),
        name: spec.name.clone(),
        notes: spec.notes.clone(),
        tags: JsonText(spec.tags.clone()),
        archived: false,
        spec: JsonText(serde_json::to_value(spec)?),
        submitted_text,
        created_ms: created_ms.context("there is no run")?,
        provenance,
        choices: Vec::new(),
    })
}

/// The commit of all runs, if it is the same.
fn shared(runs: &[FinishedRun]) -> Provenance {
    let hash = runs[0].provenance.commit_hash.clone();
    if hash.is_none() || runs.iter().any(|run| run.provenance.commit_hash != hash) {
        return Provenance::default();
    }
    let is_dirty = runs.iter().any(|run| run.provenance.commit_dirty == Some(true));
    Provenance { commit_hash: hash, commit_dirty: Some(is_dirty), command_line: None }
}

/// The job of each arm and seed, with its run if that is among the folders.
fn jobs<'a>(spec: &ExperimentSpec, runs: &'a [FinishedRun]) -> Vec<(ExportedJob, Option<&'a FinishedRun>)> {
    let cells = spec.seeds.iter().flat_map(|&seed| spec.arms.iter().map(move |arm| (arm, seed)));
    let found = |arm: &Arm, seed: u64| {
        let is_run =
            |run: &&FinishedRun| run.job.record.arm == arm.name && run.job.record.seed == seed as i64;
        runs.iter().find(is_run)
    };
    let job = |(number, (arm, seed)): (i64, (&Arm, u64))| {
        let run = found(arm, seed);
        let mut job = run.map_or_else(|| absent(spec, arm, seed, runs), |run| run.job.clone());
        (job.record.id, job.record.experiment_id) = (JobId::from(number), ExperimentId::from(1));
        (job, run)
    };
    (1..).zip(cells).map(job).collect()
}

/// A job without a folder, so that the experiment has one for each arm and seed.
fn absent(spec: &ExperimentSpec, arm: &Arm, seed: u64, runs: &[FinishedRun]) -> ExportedJob {
    let own = spec.job(arm, seed);
    let newest = runs.iter().filter_map(|run| run.job.record.ended_ms).max();
    let record = JobRecord {
        id: JobId::from(0),
        experiment_id: ExperimentId::from(0),
        arm: arm.name.clone(),
        method: arm.method.to_string(),
        phase: own.phase(),
        trial: None,
        seed: seed as i64,
        state: JobState::Cancelled,
        requested: None,
        end_reason: Some(EndReason::Cancelled),
        error: Some("no folder of this run was imported".to_owned()),
        attempt: AttemptNumber::NONE,
        priority: spec.priority,
        step: 0,
        steps: own.train.total_steps() as i64,
        rungs_passed: 0,
        waits_at: None,
        created_ms: newest.unwrap_or_default(),
        started_ms: None,
        ended_ms: newest,
    };
    ExportedJob {
        record,
        spec: JsonText(serde_json::to_value(own).unwrap_or_default()),
        attempts_before: 0,
        parameters_trained: None,
        version: 0,
        results: ResultsRecord::default(),
        attempts: Vec::new(),
    }
}
