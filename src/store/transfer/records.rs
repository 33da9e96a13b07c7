//! An experiment, its jobs and their attempts, column by column.

use std::collections::HashMap;

use optlab_domain::{AttemptNumber, EndReason, ExperimentId, JobId, JobState};
use sqlx_macros::FromRow;

use crate::store::database::{Connect, sql};
use crate::store::jobs::attempts_of_experiment;
use crate::store::{ExperimentRecord, JobRecord, NotFound, ResultsRecord, StoreError};

#[derive(FromRow)]
struct ExperimentRow {
    id: ExperimentId,
    name: String,
    notes: String,
    tags: String,
    archived: i64,
    spec: String,
    submitted_text: Option<String>,
    created_ms: i64,
}

#[derive(FromRow)]
struct JobRow {
    id: JobId,
    arm: String,
    method: String,
    seed: i64,
    spec: String,
    state: JobState,
    end_reason: Option<EndReason>,
    error: Option<String>,
    attempt: AttemptNumber,
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
struct ResultsRow {
    job_id: JobId,
    #[sqlx(flatten)]
    results: ResultsRecord,
}

pub(super) async fn read(
    moment: &mut impl Connect,
    experiment: ExperimentId,
) -> Result<(ExperimentRecord, Vec<JobRecord>), StoreError> {
    let row: Option<ExperimentRow> =
        sql("SELECT id, name, notes, tags, archived, spec, submitted_text, created_ms FROM experiments WHERE id = $1")
            .bind(experiment)
            .fetch_optional(moment)
            .await?;
    let row = row.ok_or(NotFound::Experiment(experiment))?;
    let rows: Vec<JobRow> = sql(
        "SELECT id, arm, method, seed, spec, state, end_reason, error, attempt, attempts_before, step, steps,
            parameters_trained, version, created_ms, started_ms, ended_ms
         FROM jobs WHERE experiment_id = $1 ORDER BY id",
    )
    .bind(experiment)
    .fetch_all(moment)
    .await?;
    let mut jobs = rows.into_iter().map(JobRecord::try_from).collect::<Result<Vec<_>, _>>()?;
    let places: HashMap<JobId, usize> = jobs.iter().enumerate().map(|(place, job)| (job.id, place)).collect();
    for (job, attempt) in attempts_of_experiment(moment, experiment).await? {
        jobs[places[&job]].attempts.push(attempt);
    }
    for row in results(moment, experiment).await? {
        let place = places[&row.job_id];
        jobs[place].results = row.results;
    }
    Ok((row.try_into()?, jobs))
}

async fn results(moment: &mut impl Connect, experiment: ExperimentId) -> Result<Vec<ResultsRow>, StoreError> {
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
            submitted_text: row.submitted_text,
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
            state: row.state,
            end_reason: row.end_reason,
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
