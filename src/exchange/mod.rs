//! Export and import formats of experiments and of tables of jobs. No SQL, no HTTP.
//!
//! A [`PointWriter`] takes points curve by curve. A Parquet file is complete and can be imported ([`ParquetReader`]);
//! CSV and TensorBoard event files are for other programs.

mod csv;
mod parquet;
mod tensorboard;

use std::io;

use crate::store::{ExportedJob, TimedPoint};
pub use csv::{CsvWriter, JobTable, USUAL_COLUMNS, write_jobs};
pub use parquet::{ParquetReader, ParquetWriter};
pub use tensorboard::EventWriter;

/// The reason why a file cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The error of the system.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file cannot be imported, with the reason.
    #[error("{0}")]
    Refused(String),
}

impl ExchangeError {
    /// Truncates the reason, because it may quote arbitrary content of the file.
    fn refused(reason: impl AsRef<str>) -> Self {
        const LONGEST: usize = 500;
        Self::Refused(reason.as_ref().chars().take(LONGEST).collect())
    }
}

/// Takes the points of an experiment in the order of jobs, then series by name, then steps.
pub trait PointWriter {
    /// Writes points that follow those of the previous call.
    ///
    /// # Errors
    /// If they cannot be written.
    fn write(&mut self, job: &ExportedJob, series: &str, points: &[TimedPoint]) -> Result<(), ExchangeError>;

    /// Completes the file; without this call, it is invalid.
    ///
    /// # Errors
    /// If it cannot be written.
    fn finish(self: Box<Self>) -> Result<(), ExchangeError>;
}
