//! CSV: one row per point, or one row per job of an experiment or of all. Numbers are the shortest that read back exactly.

use std::io::Write;

use csv::Writer;
use optlab_domain::{AttemptNumber, EndReason, JobId, JobRecord, JobState, Phase};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{ExchangeError, PointWriter, parquet};
use crate::store::{ExperimentRecord, ExportedJob, TimedPoint};

/// The columns of the view `job_summary`, and the phase and the error of the job.
#[derive(Serialize)]
struct JobRow<'a> {
    experiment: &'a str,
    job_id: JobId,
    arm: &'a str,
    method: &'a str,
    phase: Phase,
    trial: Option<i64>,
    seed: i64,
    state: JobState,
    end_reason: Option<EndReason>,
    error: Option<&'a str>,
    attempts: AttemptNumber,
    device: Option<&'a str>,
    step: i64,
    steps: i64,
    test_accuracy: Option<f64>,
    best_test_accuracy: Option<f64>,
    test_error: Option<f64>,
    validation_accuracy: Option<f64>,
    best_validation_accuracy: Option<f64>,
    validation_error: Option<f64>,
    energy: Option<f64>,
    parameters_trained: Option<i64>,
    seconds: Option<f64>,
    peak_memory_bytes: Option<i64>,
    created_ms: i64,
    started_ms: Option<i64>,
    ended_ms: Option<i64>,
}

/// Writes points.
pub struct CsvWriter<W: Write> {
    experiment: String,
    rows: Writer<W>,
}

impl<W: Write> CsvWriter<W> {
    /// Writes an experiment to `out`.
    ///
    /// # Errors
    /// If the header cannot be written.
    pub fn new(out: W, experiment: &ExperimentRecord) -> Result<Self, ExchangeError> {
        let mut rows = csv::WriterBuilder::new().has_headers(false).from_writer(out);
        rows.write_record(parquet::columns())?;
        Ok(Self { experiment: experiment.name.clone(), rows })
    }
}

impl<W: Write> PointWriter for CsvWriter<W> {
    fn write(&mut self, job: &ExportedJob, series: &str, points: &[TimedPoint]) -> Result<(), ExchangeError> {
        for &TimedPoint { step, value, time_ms } in points {
            let JobRecord { id, arm, method, phase, trial, seed, .. } = &job.record;
            let of_job = (&self.experiment, id, arm, method, phase, trial, seed);
            self.rows.serialize((of_job, series, step, value, time_ms))?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExchangeError> {
        Ok(self.rows.flush()?)
    }
}

/// Writes the jobs of an experiment.
///
/// # Errors
/// If they cannot be written.
pub fn write_jobs(
    out: impl Write,
    experiment: &ExperimentRecord,
    jobs: &[ExportedJob],
) -> Result<(), ExchangeError> {
    let mut rows = Writer::from_writer(out);
    for job in jobs {
        rows.serialize(JobRow {
            experiment: &experiment.name,
            job_id: job.record.id,
            arm: &job.record.arm,
            method: &job.record.method,
            phase: job.record.phase,
            trial: job.record.trial,
            seed: job.record.seed,
            state: job.record.state,
            end_reason: job.record.end_reason,
            error: job.record.error.as_deref(),
            attempts: job.record.attempt,
            device: job.attempts.last().map(|attempt| attempt.device.as_str()),
            step: job.record.step,
            steps: job.record.steps,
            test_accuracy: job.results.test_accuracy,
            best_test_accuracy: job.results.best_test_accuracy,
            test_error: job.results.test_error,
            validation_accuracy: job.results.validation_accuracy,
            best_validation_accuracy: job.results.best_validation_accuracy,
            validation_error: job.results.validation_error,
            energy: job.results.energy,
            parameters_trained: job.parameters_trained,
            seconds: job.results.seconds,
            peak_memory_bytes: job.results.peak_memory_bytes,
            created_ms: job.record.created_ms,
            started_ms: job.record.started_ms,
            ended_ms: job.record.ended_ms,
        })?;
    }
    Ok(rows.flush()?)
}

/// The columns of a table of jobs if no others are wanted.
pub const USUAL_COLUMNS: [&str; 16] = [
    "id",
    "experiment",
    "experiment_id",
    "arm",
    "method",
    "seed",
    "state",
    "end_reason",
    "test_error",
    "test_accuracy",
    "energy",
    "seconds",
    "train.optimizer.learning_rate",
    "train.batch_size",
    "created_at",
    "ended_at",
];

/// Writes a table of jobs with any columns.
pub struct JobTable<W: Write> {
    columns: Vec<String>,
    rows: Writer<W>,
}

impl<W: Write> JobTable<W> {
    /// Writes the head of the table.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(out: W, columns: &[&str]) -> Result<Self, ExchangeError> {
        let mut rows = Writer::from_writer(out);
        rows.write_record(columns)?;
        Ok(Self { columns: columns.iter().map(|&column| column.to_owned()).collect(), rows })
    }

    /// Writes a job by the values of its columns. Lists are JSON.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&mut self, values: &Map<String, Value>) -> Result<(), ExchangeError> {
        let cell = |column: &String| match &values[column] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Ok(self.rows.write_record(self.columns.iter().map(cell))?)
    }

    /// Writes what is left in the buffer.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self) -> Result<(), ExchangeError> {
        Ok(self.rows.flush()?)
    }
}

impl From<csv::Error> for ExchangeError {
    fn from(error: csv::Error) -> Self {
        Self::Io(error.into())
    }
}
