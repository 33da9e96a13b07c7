//! What users ask in SQL of their own, and what may come back.

use serde_json::Value;

use super::StoreError;

/// The longest statement, in bytes.
pub const LONGEST_STATEMENT: usize = 100_000;
/// The most rows of an answer.
pub const MOST_ROWS: usize = 10_000;

/// The answer to a query.
#[derive(Debug, PartialEq)]
pub struct Table {
    /// Names, as the statement gives them; they may repeat.
    pub columns: Vec<String>,
    /// One value a column: null, a number, a text, true or false, or `{"hex": ...}` for bytes. A number that JSON does not
    /// have is the text `NaN`, `Infinity` or `-Infinity`.
    pub rows: Vec<Vec<Value>>,
    /// Whether there are more rows.
    pub truncated: bool,
}

/// Why a query has no answer. Each sentence is for whoever wrote the statement.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The statement does what nobody may do here.
    #[error("{0}")]
    Refused(String),
    /// The database does not understand the statement, or fails in it.
    #[error("{0}")]
    Invalid(String),
    /// The statement took too much of something.
    #[error("{0}")]
    Stopped(String),
    /// Others have their queries answered now.
    #[error("too many queries are being answered; ask again in a moment")]
    NoTurn,
    /// The database itself has failed, or is busy.
    #[error(transparent)]
    Store(#[from] StoreError),
}
