//! Rows of an imported experiment.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::LazyLock;

use optlab_domain::{EndReason, ExperimentId, Hold, JobId, JobRecord, JobState, WorkerId};
use optlab_spec::{ExperimentSpec, JobSpec};
use tokio::sync::mpsc;

use crate::store::curves::condense_job;
use crate::store::database::{Transaction, per_database, sql};
use crate::store::version::next_version;
use crate::store::{Attempt, Choice, CurveBatch, ExportedJob, Import, ResultsRecord, StoreError, TimedPoint};

/// Number of points per statement in SQLite.
const ROWS: usize = 500;

/// $1: job; $2: series; and [`ROWS`] points.
static INSERT_ROWS: LazyLock<String> = LazyLock::new(|| {
    let mut text = "INSERT INTO metric_points (job_id, series_id, step, value, time_ms) VALUES ".to_owned();
    for row in 0..ROWS {
        let (separator, first) = (if row == 0 { "" } else { ", " }, 3 * row + 3);
        write!(text, "{separator}($1, $2, ${first}, ${}, ${})", first + 1, first + 2)
            .expect("a string takes any text");
    }
    text
});

/// Inserts everything except the points, with `ids` for the jobs; returns the id of the experiment.
pub(super) async fn insert(
    tx: &mut Transaction,
    import: &Import,
    ids: &[JobId],
    now: i64,
) -> Result<ExperimentId, StoreError> {
    let experiment = &import.experiment;
    let spec = ExperimentSpec::from_stored(&experiment.spec)?;
    let new = sql("INSERT INTO experiments (name, notes, tags, archived, spec, submitted_text, created_ms, commit_hash, commit_dirty,
             command_line)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id")
    .bind(experiment.name.as_str())
    .bind(experiment.notes.as_str())
    .bind(serde_json::to_string(&experiment.tags)?)
    .bind(i64::from(experiment.archived))
    .bind(serde_json::to_string(&experiment.spec)?)
    .bind(experiment.submitted_text.as_deref())
    .bind(experiment.created_ms)
    .bind(experiment.provenance.commit_hash.as_deref())
    .bind(experiment.provenance.commit_dirty.map(i64::from))
    .bind(experiment.provenance.command_line.as_deref())
    .fetch_value(tx)
    .await?;
    for choice in &experiment.choices {
        let of_arm = import.jobs.iter().filter(|job| job.record.arm == choice.arm);
        let rungs = of_arm.map(|job| job.record.rungs_passed).max().unwrap_or(0);
        insert_choice(tx, new, choice, rungs).await?;
    }
    let version = next_version(tx).await?;
    let workers = insert_workers(tx, &import.jobs).await?;
    for (job, &id) in import.jobs.iter().zip(ids) {
        let job = ended(job, now);
        let worker = job.attempts.last().map(|attempt| workers[&attempt.worker]);
        insert_job(tx, &job, Destination { id, experiment: new, spec: &spec, version, worker }).await?;
        for attempt in &job.attempts {
            insert_attempt(tx, id, attempt, workers[&attempt.worker]).await?;
        }
        if job.record.state == JobState::Succeeded {
            insert_results(tx, id, &job.results).await?;
        }
    }
    Ok(new)
}

/// Inserts the choice of a tuned arm. An open one is held, because imported jobs are a record and queue no others.
async fn insert_choice(
    tx: &mut Transaction,
    experiment: ExperimentId,
    choice: &Choice,
    rungs_decided: i64,
) -> Result<(), StoreError> {
    let held = if choice.frozen_ms.is_some() { choice.held } else { Some(Hold::Cancelled) };
    sql("INSERT INTO tunings (experiment_id, arm, held, trial, candidates, frozen_ms, rungs_decided)
         VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(experiment)
    .bind(choice.arm.as_str())
    .bind(held)
    .bind(choice.trial)
    .bind(choice.candidates.as_ref().map(serde_json::to_string).transpose()?)
    .bind(choice.frozen_ms)
    .bind(rungs_decided)
    .execute_one(tx)
    .await
}

/// The imported job, which is never queued or running.
fn ended(job: &ExportedJob, now: i64) -> ExportedJob {
    let mut job = job.clone();
    let was = format!("was {} when it was exported", job.record.state);
    for attempt in job.attempts.iter_mut().filter(|attempt| attempt.ended_ms.is_none()) {
        (attempt.ended_ms, attempt.end_reason, attempt.error) =
            (Some(now), Some(EndReason::Cancelled), Some(was.clone()));
    }
    if !job.record.state.has_ended() {
        job.record.state = JobState::Cancelled;
        (job.record.ended_ms, job.record.end_reason, job.record.error) =
            (Some(now), Some(EndReason::Cancelled), Some(was));
    }
    job
}

/// Registers an ended worker for each name, because attempts belong to workers, which are on another server.
async fn insert_workers(
    tx: &mut Transaction,
    jobs: &[ExportedJob],
) -> Result<HashMap<String, WorkerId>, StoreError> {
    let mut times: HashMap<&str, (i64, i64)> = HashMap::new();
    for attempt in jobs.iter().flat_map(|job| &job.attempts) {
        let (from, to) = (attempt.started_ms, attempt.ended_ms.unwrap_or(attempt.started_ms));
        let seen = times.entry(&attempt.worker).or_insert((from, to));
        *seen = (seen.0.min(from), seen.1.max(to));
    }
    let mut ids = HashMap::new();
    for (name, (from, to)) in times {
        let id = sql("INSERT INTO workers (name, devices, started_ms, last_seen_ms, ended_ms, draining)
             VALUES ($1, '[]', $2, $3, $3, 1) RETURNING id")
        .bind(name)
        .bind(from)
        .bind(to)
        .fetch_value(tx)
        .await?;
        ids.insert(name.to_owned(), id);
    }
    Ok(ids)
}

/// The fields of a job that differ from those on its original server.
struct Destination<'a> {
    id: JobId,
    experiment: ExperimentId,
    spec: &'a ExperimentSpec,
    version: i64,
    worker: Option<WorkerId>,
}

/// The columns of an imported job besides those of its record.
const OTHER_COLUMNS: [&str; 9] = [
    "arm_position",
    "spec",
    "device_wanted",
    "max_attempts",
    "time_limit_seconds",
    "attempts_before",
    "worker_id",
    "parameters_trained",
    "version",
];

/// Postgres must be told that ids are given.
static INSERT_JOB: LazyLock<[String; 2]> = LazyLock::new(|| {
    let columns = [JobRecord::COLUMNS, &OTHER_COLUMNS].concat();
    let values: Vec<String> = (1..=columns.len()).map(|number| format!("${number}")).collect();
    let (columns, values) = (columns.join(", "), values.join(", "));
    ["", " OVERRIDING SYSTEM VALUE"]
        .map(|overriding| format!("INSERT INTO jobs ({columns}){overriding} VALUES ({values})"))
});

async fn insert_job(
    tx: &mut Transaction,
    job: &ExportedJob,
    place: Destination<'_>,
) -> Result<(), StoreError> {
    let Destination { id, experiment, spec, version, worker } = place;
    let record = JobRecord { id, experiment_id: experiment, requested: None, ..job.record.clone() };
    let position = spec.arms.iter().position(|arm| arm.name == record.arm);
    let device = JobSpec::from_stored(&job.spec)?.resources.device;
    let [sqlite, postgres] = &*INSERT_JOB;
    per_database(sqlite, postgres)
        .bind_all(record.values())
        .bind(position.map(|position| position as i64))
        .bind(serde_json::to_string(&job.spec)?)
        .bind(device)
        .bind(spec.max_attempts as i64)
        .bind(spec.time_limit_seconds as i64)
        .bind(job.attempts_before)
        .bind(worker)
        .bind(job.parameters_trained)
        .bind(version)
        .execute_one(tx)
        .await
}

async fn insert_attempt(
    tx: &mut Transaction,
    job: JobId,
    attempt: &Attempt,
    worker: WorkerId,
) -> Result<(), StoreError> {
    let environment = attempt.environment.as_ref().map(serde_json::to_string).transpose()?;
    sql(
        "INSERT INTO attempts (job_id, number, worker_id, device, environment, start_step, started_ms, ended_ms,
             end_reason, error, seconds)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(job)
    .bind(attempt.number)
    .bind(worker)
    .bind(attempt.device.as_str())
    .bind(environment)
    .bind(attempt.start_step)
    .bind(attempt.started_ms)
    .bind(attempt.ended_ms)
    .bind(attempt.end_reason)
    .bind(attempt.error.as_deref())
    .bind(attempt.seconds)
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert_results(tx: &mut Transaction, job: JobId, results: &ResultsRecord) -> Result<(), StoreError> {
    sql("INSERT INTO results (job_id, test_accuracy, best_test_accuracy, validation_accuracy, best_validation_accuracy,
             energy, peak_memory_bytes)
         VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(job)
    .bind(results.test_accuracy)
    .bind(results.best_test_accuracy)
    .bind(results.validation_accuracy)
    .bind(results.best_validation_accuracy)
    .bind(results.energy)
    .bind(results.peak_memory_bytes)
    .execute(tx)
    .await?;
    Ok(())
}

/// Inserts the points as they arrive, `expected` in total, and condenses long curves.
pub(super) async fn insert_points(
    tx: &mut Transaction,
    jobs: &[JobId],
    series: &HashMap<&str, i64>,
    expected: u64,
    batches: &mut mpsc::Receiver<CurveBatch>,
) -> Result<(), StoreError> {
    let mut inserted = 0;
    while let Some(batch) = batches.recv().await {
        let (job, series) = (jobs[batch.job], series[batch.series.as_str()]);
        insert_batch(tx, job, series, &batch.points).await?;
        inserted += batch.points.len() as u64;
    }
    if inserted != expected {
        return Err(StoreError::BrokenOff);
    }
    for &job in jobs {
        condense_job(tx, job).await?;
    }
    Ok(())
}

pub(super) async fn insert_batch(
    tx: &mut Transaction,
    job: JobId,
    series: i64,
    points: &[TimedPoint],
) -> Result<(), StoreError> {
    if let Transaction::Postgres(_) = tx {
        sql("INSERT INTO metric_points (job_id, series_id, step, value, time_ms)
             SELECT $1, $2, points.* FROM unnest($3, $4, $5) points")
        .bind(job)
        .bind(series)
        .bind(points.iter().map(|point| point.step).collect::<Vec<_>>())
        .bind(points.iter().map(|point| point.value).collect::<Vec<_>>())
        .bind(points.iter().map(|point| point.time_ms).collect::<Vec<_>>())
        .execute(tx)
        .await?;
        return Ok(());
    }
    let (many, rest) = points.as_chunks::<ROWS>();
    for rows in many {
        let statement = sql(INSERT_ROWS.as_str()).bind(job).bind(series);
        let statement = rows.iter().fold(statement, |statement, point| {
            statement.bind(point.step).bind(point.value).bind(point.time_ms)
        });
        statement.execute(tx).await?;
    }
    for point in rest {
        sql(
            "INSERT INTO metric_points (job_id, series_id, step, value, time_ms) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(job)
        .bind(series)
        .bind(point.step)
        .bind(point.value)
        .bind(point.time_ms)
        .execute(tx)
        .await?;
    }
    Ok(())
}
