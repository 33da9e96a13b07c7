//! What users ask in SQL of their own, and what may come back.

use super::StoreError;

/// The longest statement, in bytes.
pub const LONGEST_STATEMENT: usize = 100_000;
/// The most rows of an answer.
pub const MOST_ROWS: usize = 10_000;

/// The answer to a query.
#[derive(Debug, PartialEq)]
pub struct QueryAnswer {
    /// `{"columns": [...], "rows": [[...], ...], "truncated": ...}`. Column names are those of the statement and may
    /// repeat. A row has one value per column: null, a number, a text, true or false, or `{"hex": ...}` for bytes.
    /// Numbers that JSON cannot represent are the texts `NaN`, `Infinity` and `-Infinity`. `truncated` is true if there
    /// are more rows.
    pub json: Vec<u8>,
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
    #[error("too many queries are being answered; try again in a moment")]
    TooManyQueries,
    /// All slots are busy, and the database cannot interrupt this many queries that have exceeded their time limit.
    #[error(
        "too many queries cannot be ended: the time of {0} is over and the database still works on them; try again later"
    )]
    UnendingQueries(usize),
    /// The database itself has failed, or is busy.
    #[error(transparent)]
    Store(#[from] StoreError),
}
