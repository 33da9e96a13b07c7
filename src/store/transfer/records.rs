//! Reads an experiment, its jobs and their attempts.

use std::collections::HashMap;

use optlab_domain::{ExperimentId, JobId, job_columns};
use sqlx_macros::FromRow;

use crate::store::database::{Connect, sql};
use crate::store::jobs::attempts_of_experiment;
use crate::store::tuning::choices;
use crate::store::{ExperimentRecord, ExportedJob, NotFound, ResultsRecord, StoreError};

#[derive(FromRow)]
struct ResultsRow {
    job_id: JobId,
    #[sqlx(flatten)]
    results: ResultsRecord,
}

pub(super) async fn read(
    snapshot: &mut impl Connect,
    experiment: ExperimentId,
) -> Result<(ExperimentRecord, Vec<ExportedJob>), StoreError> {
    let found: Option<ExperimentRecord> =
        sql("SELECT id, name, notes, tags, archived = 1 AS archived, spec, submitted_text, created_ms, commit_hash,
             commit_dirty = 1 AS commit_dirty, command_line
         FROM experiments WHERE id = $1")
        .bind(experiment)
        .fetch_optional(snapshot)
        .await?;
    let mut found = found.ok_or(NotFound::Experiment(experiment))?;
    found.choices = choices(snapshot, experiment).await?;
    let mut jobs: Vec<ExportedJob> = sql(concat!(
        "SELECT ",
        job_columns!(),
        "j.spec, j.attempts_before, j.parameters_trained, j.version
         FROM jobs j WHERE j.experiment_id = $1 ORDER BY j.id"
    ))
    .bind(experiment)
    .fetch_all(snapshot)
    .await?;
    let places: HashMap<JobId, usize> =
        jobs.iter().enumerate().map(|(place, job)| (job.record.id, place)).collect();
    for (job, attempt) in attempts_of_experiment(snapshot, experiment).await? {
        jobs[places[&job]].attempts.push(attempt);
    }
    for row in results(snapshot, experiment).await? {
        let place = places[&row.job_id];
        jobs[place].results = row.results;
    }
    Ok((found, jobs))
}

async fn results(
    snapshot: &mut impl Connect,
    experiment: ExperimentId,
) -> Result<Vec<ResultsRow>, StoreError> {
    sql("SELECT r.job_id, r.test_accuracy, r.best_test_accuracy, r.test_error, r.validation_accuracy,
             r.best_validation_accuracy, r.validation_error, r.energy, a.seconds, r.peak_memory_bytes
         FROM jobs j
         JOIN results r ON r.job_id = j.id
         LEFT JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
         WHERE j.experiment_id = $1 AND j.state = 'succeeded'")
    .bind(experiment)
    .fetch_all(snapshot)
    .await
}
