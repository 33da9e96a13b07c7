//! Parquet: the complete format. A row is a point. The file's metadata has the experiment, its jobs and its series in
//! JSON, and a SHA-256 over all of it.

mod bounds;
mod digest;
mod import_error;
mod choices;
mod header;
mod read;
mod records;
mod write;

use parquet::errors::ParquetError;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::TypePtr;

use super::ExchangeError;
pub use read::ParquetReader;
pub use write::ParquetWriter;

/// Rows per group, which the writer holds in memory. Every group except the last one is full.
const GROUP: usize = 100_000;

/// Rows are in the order of the jobs, of their series by name, and of the steps.
const SCHEMA: &str = "message optlab {
    REQUIRED BYTE_ARRAY experiment (STRING);
    REQUIRED INT64 job_id;
    REQUIRED BYTE_ARRAY arm (STRING);
    REQUIRED BYTE_ARRAY method (STRING);
    REQUIRED BYTE_ARRAY phase (STRING);
    OPTIONAL INT64 trial;
    REQUIRED INT64 seed;
    REQUIRED BYTE_ARRAY series (STRING);
    REQUIRED INT64 step;
    REQUIRED DOUBLE value;
    REQUIRED INT64 time_ms;
}";

fn schema() -> TypePtr {
    parse_message_type(SCHEMA).expect("the schema is well formed").into()
}

/// Names of the columns of an export.
pub(super) fn columns() -> Vec<String> {
    schema().get_fields().iter().map(|field| field.name().to_owned()).collect()
}

/// Converts an error of writing.
fn unwritten(error: ParquetError) -> ExchangeError {
    ExchangeError::Io(std::io::Error::other(error))
}

/// Converts an error of reading.
fn unreadable(error: ParquetError) -> ExchangeError {
    ExchangeError::refused(format!("this file cannot be read as Parquet: {error}"))
}
