//! A complete run, as `optlab import` reads it from its folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use optlab_domain::database::JsonText;
use optlab_domain::{
    AttemptNumber, EndReason, ExperimentId, JobId, JobRecord, JobState, Provenance, WorkerId,
};
use optlab_spec::{ExperimentSpec, JobSpec};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::files::{POINTS, RUN, SPEC, SUMMARY};
use super::origin::Origin;
use super::points::{self, Curves};
use super::summary::{RunSummary, results};
use crate::artifacts::sha256;
use crate::cli::input;
use crate::store::{self, Attempt, ExportedJob};

/// A run that `optlab train` has completed.
pub(in crate::cli) struct FinishedRun {
    pub(in crate::cli) folder: PathBuf,
    /// The resolved spec of an experiment that has only this run.
    pub(in crate::cli) spec: ExperimentSpec,
    /// That spec as it was written.
    pub(in crate::cli) written: Value,
    pub(in crate::cli) provenance: Provenance,
    pub(in crate::cli) job: ExportedJob,
    pub(in crate::cli) curves: Curves,
}

/// Stands for the worker of the attempts, because the run had none.
const WORKER: &str = "optlab train";

impl FinishedRun {
    /// Reads and checks the files of `folder`. An error names the file.
    pub(in crate::cli) fn read(folder: &Path) -> anyhow::Result<Self> {
        let shown = folder.display();
        ensure!(folder.join(SPEC).exists(), "{shown} is not the folder of a run: it has no {SPEC}");
        ensure!(
            folder.join(SUMMARY).exists(),
            "{shown}/{SUMMARY} is missing, so the run is unfinished; `optlab train --resume {shown}` completes it"
        );
        let summary: RunSummary = json(folder, SUMMARY)?;
        let origin: Origin = json(folder, RUN)?;
        let job: Value = json(folder, SPEC)?;
        let (curves, bytes) = points::read(folder)?;
        ensure!(
            sha256(&bytes) == summary.metrics_sha256,
            "{shown}/{POINTS} was altered: its SHA-256 is not the one in {SUMMARY}"
        );
        let spec =
            ExperimentSpec::from_stored(&origin.experiment).with_context(|| format!("{shown}/{RUN}"))?;
        let own = JobSpec::from_stored(&job).with_context(|| format!("{shown}/{SPEC}"))?;
        ensure!(
            spec.jobs() == [own.clone()],
            "{shown}/{SPEC} was altered: it is not the spec of the run in {RUN}"
        );
        for (name, expected) in own.points_after(own.train.total_steps()) {
            let found = curves.get(name).map_or(0, Vec::len) as u64;
            ensure!(
                found == expected,
                "{shown}/{POINTS} has {found} points of {name}, and the run makes {expected}"
            );
        }
        ensure!(!origin.attempts.is_empty(), "{shown}/{RUN} lists no attempt");
        let job = record(&spec, &own, &origin, &summary, &curves)?;
        let Origin { written, provenance, .. } = origin;
        Ok(Self { folder: folder.to_owned(), spec, written, provenance, job, curves })
    }
}

fn json<T: DeserializeOwned>(folder: &Path, name: &str) -> anyhow::Result<T> {
    let path = folder.join(name);
    serde_json::from_slice(&input::regular(&path)?).with_context(|| path.display().to_string())
}

/// The job as the database would have it.
fn record(
    spec: &ExperimentSpec,
    own: &JobSpec,
    origin: &Origin,
    summary: &RunSummary,
    curves: &Curves,
) -> anyhow::Result<ExportedJob> {
    let attempts = attempts(origin, summary);
    let steps = own.train.total_steps() as i64;
    let record = JobRecord {
        id: JobId::from(0),
        experiment_id: ExperimentId::from(0),
        arm: own.arm.clone(),
        method: own.method.to_string(),
        phase: own.phase(),
        trial: None,
        seed: own.seed as i64,
        state: JobState::Succeeded,
        requested: None,
        end_reason: Some(EndReason::Completed),
        error: None,
        attempt: AttemptNumber::from(attempts.len() as i64),
        priority: spec.priority,
        step: steps,
        steps,
        rungs_passed: 0,
        waits_at: None,
        created_ms: attempts.first().map_or(summary.ended_ms, |attempt| attempt.started_ms),
        started_ms: attempts.last().map(|attempt| attempt.started_ms),
        ended_ms: Some(summary.ended_ms),
    };
    Ok(ExportedJob {
        record,
        spec: JsonText(serde_json::to_value(own)?),
        attempts_before: attempts.len() as i64 - 1,
        parameters_trained: Some(summary.run.parameters_trained as i64),
        version: 0,
        results: results(&summary.run, curves),
        attempts,
    })
}

/// Each attempt ended when the next one began; the last one completed the run.
fn attempts(origin: &Origin, summary: &RunSummary) -> Vec<Attempt> {
    let next = origin.attempts.iter().skip(1).map(Some).chain([None]);
    let pairs = (1..).zip(origin.attempts.iter().zip(next));
    pairs
        .map(|(number, (began, next))| Attempt {
            number: AttemptNumber::from(number),
            worker_id: WorkerId::from(0),
            worker: WORKER.to_owned(),
            origin: store::Origin::default(),
            device: began.environment.device.clone(),
            environment: Some(JsonText(began.environment.clone())),
            start_step: began.start_step as i64,
            started_ms: began.started_ms,
            ended_ms: Some(next.map_or(summary.ended_ms, |next| next.started_ms)),
            end_reason: Some(if next.is_some() { EndReason::HandedBack } else { EndReason::Completed }),
            error: None,
            seconds: next.is_none().then_some(summary.run.seconds),
        })
        .collect()
}
