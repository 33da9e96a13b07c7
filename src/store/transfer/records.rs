//! An experiment, its jobs and their attempts, column by column.

use std::collections::HashMap;

use optlab_domain::{EndReason, JobState};
use sqlx::FromRow;

use crate::store::database::{Connect, Word, sql};
use crate::store::jobs::begun;
use crate::store::{AttemptRecord, ExperimentRecord, JobRecord, ResultsRecord, StoreError};

#[derive(FromRow)]
struct ExperimentRow {
    id: i64,
    name: String,
    notes: String,
    tags: String,
    archived: i64,
    spec: String,
    created_ms: i64,
}

#[derive(FromRow)]
struct JobRow {
    id: i64,
    arm: String,
    method: String,
    seed: i64,
    spec: String,
    state: Word<JobState>,
    end_reason: Option<Word<EndReason>>,
    error: Option<String>,
    attempt: i64,
    attempts_before: i64,
    step: i64,
    steps: i64,
    parameters_trained: Option<i64>,
    version: i64,
    created_ms: i64,
    started_ms: Option<i64>,
    ended_ms: Option<i64>,
}

#[derive(FromRow)]
struct AttemptRow {
    job_id: i64,
    number: i64,
    worker: String,
    device: String,
    environment: Option<String>,
    start_step: i64,
    started_ms: i64,
    ended_ms: Option<i64>,
    end_reason: Option<Word<EndReason>>,
    error: Option<String>,
    seconds: Option<f64>,
}

#[derive(FromRow)]
struct ResultsRow {
    job_id: i64,
    test_accuracy: Option<f64>,
    best_test_accuracy: Option<f64>,
    test_error: Option<f64>,
    energy: Option<f64>,
    seconds: Option<f64>,
    peak_memory_bytes: Option<i64>,
}

pub(super) async fn read(
    moment: &mut impl Connect,
    experiment: i64,
) -> Result<(ExperimentRecord, Vec<JobRecord>), StoreError> {
    let row: Option<ExperimentRow> =
        sql("SELECT id, name, notes, tags, archived, spec, created_ms FROM experiments WHERE id = $1")
            .bind(experiment)
            .fetch_optional(moment)
            .await?;
    let row = row.ok_or(StoreError::NotFound { what: "experiment", id: experiment })?;
    let rows: Vec<JobRow> = sql(
        "SELECT id, arm, method, seed, spec, state, end_reason, error, attempt, attempts_before, step, steps,
            parameters_trained, version, created_ms, started_ms, ended_ms
         FROM jobs WHERE experiment_id = $1 ORDER BY id",
    )
    .bind(experiment)
    .fetch_all(moment)
    .await?;
    let mut jobs = rows.into_iter().map(JobRecord::try_from).collect::<Result<Vec<_>, _>>()?;
    let places: HashMap<i64, usize> = jobs.iter().enumerate().map(|(place, job)| (job.id, place)).collect();
    for row in attempts(moment, experiment).await? {
        jobs[places[&row.job_id]].attempts.push(row.try_into()?);
    }
    for row in results(moment, experiment).await? {
        let place = places[&row.job_id];
        jobs[place].results = row.into();
    }
    Ok((row.try_into()?, jobs))
}

async fn attempts(moment: &mut impl Connect, experiment: i64) -> Result<Vec<AttemptRow>, StoreError> {
    sql(concat!(
        "SELECT a.job_id, a.number, w.name AS worker, a.device, a.environment, a.start_step, a.started_ms, a.ended_ms,
             a.end_reason, a.error, a.seconds
         FROM jobs j JOIN attempts a ON a.job_id = j.id JOIN workers w ON w.id = a.worker_id
         WHERE j.experiment_id = $1 AND ",
        begun!(),
        " ORDER BY a.job_id, a.number"
    ))
    .bind(experiment)
    .fetch_all(moment)
    .await
}

async fn results(moment: &mut impl Connect, experiment: i64) -> Result<Vec<ResultsRow>, StoreError> {
    sql("SELECT job_id, test_accuracy, best_test_accuracy, test_error, energy, seconds, peak_memory_bytes
         FROM job_summary
         WHERE experiment_id = $1 AND state = 'succeeded'")
    .bind(experiment)
    .fetch_all(moment)
    .await
}

impl TryFrom<ExperimentRow> for ExperimentRecord {
    type Error = StoreError;

    fn try_from(row: ExperimentRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            name: row.name,
            notes: row.notes,
            tags: serde_json::from_str(&row.tags)?,
            archived: row.archived != 0,
            spec: serde_json::from_str(&row.spec)?,
            created_ms: row.created_ms,
        })
    }
}

impl TryFrom<JobRow> for JobRecord {
    type Error = StoreError;

    fn try_from(row: JobRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            arm: row.arm,
            method: row.method,
            seed: row.seed,
            spec: serde_json::from_str(&row.spec)?,
            state: row.state.0,
            end_reason: row.end_reason.map(|word| word.0),
            error: row.error,
            attempt: row.attempt,
            attempts_before: row.attempts_before,
            step: row.step,
            steps: row.steps,
            parameters_trained: row.parameters_trained,
            version: row.version,
            created_ms: row.created_ms,
            started_ms: row.started_ms,
            ended_ms: row.ended_ms,
            results: ResultsRecord::default(),
            attempts: Vec::new(),
        })
    }
}

impl TryFrom<AttemptRow> for AttemptRecord {
    type Error = StoreError;

    fn try_from(row: AttemptRow) -> Result<Self, StoreError> {
        Ok(Self {
            number: row.number,
            worker: row.worker,
            device: row.device,
            environment: row.environment.map(|text| serde_json::from_str(&text)).transpose()?,
            start_step: row.start_step,
            started_ms: row.started_ms,
            ended_ms: row.ended_ms,
            end_reason: row.end_reason.map(|word| word.0),
            error: row.error,
            seconds: row.seconds,
        })
    }
}

impl From<ResultsRow> for ResultsRecord {
    fn from(row: ResultsRow) -> Self {
        Self {
            test_accuracy: row.test_accuracy,
            best_test_accuracy: row.best_test_accuracy,
            test_error: row.test_error,
            energy: row.energy,
            seconds: row.seconds,
            peak_memory_bytes: row.peak_memory_bytes,
        }
    }
}
