//! The formats in which experiments leave for other programs and servers: no SQL, no HTTP.
//!
//! Whoever has the points hands them to a [`PointWriter`], curve by curve. A Parquet file says everything and can be
//! read again ([`ParquetReader`]); CSV and TensorBoard's event files are for other programs.

mod csv;
mod parquet;
mod tensorboard;

use std::io;

use crate::store::{JobRecord, TimedPoint};
pub use csv::{CsvWriter, write_jobs};
pub use parquet::{ParquetReader, ParquetWriter};
pub use tensorboard::EventWriter;

/// Why a file cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// What the system said.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is no export that could be imported; says why.
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

/// Takes the points of an experiment: its jobs one after another, of each its series by name, of each its steps.
pub trait PointWriter {
    /// Points that follow those of the call before.
    ///
    /// # Errors
    /// Where they cannot be written.
    fn write(&mut self, job: &JobRecord, series: &str, points: &[TimedPoint]) -> Result<(), ExchangeError>;

    /// Writes what is still missing; without it, nothing that was written counts.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn finish(self: Box<Self>) -> Result<(), ExchangeError>;
}
