//! What may come back to the users of queries, and how it is refused.

use serde_json::Value;

use crate::store::{QueryError, Table};

/// The longest text or blob that a statement may handle, in bytes.
pub(super) const LONGEST_VALUE: usize = 250_000;
/// The most values of one row.
pub(super) const MOST_COLUMNS: usize = 200;
/// The size of an answer, in bytes of its texts, with [`FIXED_VALUE`] for every other value.
pub(super) const LARGEST_ANSWER: usize = 8_000_000;
/// What a number counts for.
pub(super) const FIXED_VALUE: usize = 8;

/// The tables and views that users may read: all but those with keys of clients, settings and
/// hashes of tokens, and what is packed for charts.
pub(super) const READABLE: [&str; 13] = [
    "experiments",
    "jobs",
    "attempts",
    "series",
    "metric_points",
    "results",
    "workers",
    "artifacts",
    "job_summary",
    "arm_summary",
    "curves",
    "paired_differences",
    "failures",
];

/// Of whatever is no query.
pub(super) const ONLY_QUERIES: &str = "only SELECT, WITH and VALUES are answered here";

impl QueryError {
    pub(super) fn refused(sentence: impl Into<String>) -> Self {
        Self::Refused(sentence.into())
    }

    /// A table that is there, and not for users.
    pub(super) fn unreadable(table: &str) -> Self {
        Self::Refused(format!("`{table}` is not readable here; these are: {}", READABLE.join(", ")))
    }

    pub(super) fn too_slow(seconds: u64) -> Self {
        Self::Stopped(format!(
            "the query was stopped after {seconds} seconds; ask for less at a time, or read a copy of the database"
        ))
    }

    pub(super) fn too_large_row() -> Self {
        let megabytes = LARGEST_ANSWER / 1_000_000;
        Self::Stopped(format!("the next row alone is larger than an answer may be, {megabytes} MB"))
    }

    pub(super) fn too_many_columns() -> Self {
        Self::Refused(format!("a row may have at most {MOST_COLUMNS} columns"))
    }
}

/// An answer while it is read.
#[derive(Debug)]
pub(super) struct Answer {
    table: Table,
    most_rows: usize,
    room: usize,
}

impl Answer {
    pub(super) fn new(columns: Vec<String>, most_rows: usize) -> Self {
        Self { table: Table { columns, rows: Vec::new(), truncated: false }, most_rows, room: LARGEST_ANSWER }
    }

    /// Whether a row of so many bytes still fits; one that does not ends the answer.
    ///
    /// # Errors
    /// [`QueryError::Stopped`] where it would be the first.
    pub(super) fn fits(&mut self, bytes: usize) -> Result<bool, QueryError> {
        if self.table.rows.len() < self.most_rows && bytes <= self.room {
            return Ok(true);
        }
        if self.table.rows.is_empty() {
            return Err(QueryError::too_large_row());
        }
        self.table.truncated = true;
        Ok(false)
    }

    /// A row that fits.
    pub(super) fn push(&mut self, row: Vec<Value>, bytes: usize) {
        self.table.rows.push(row);
        self.room = self.room.saturating_sub(bytes);
    }

    pub(super) fn finish(self) -> Table {
        self.table
    }
}

/// A real number in JSON.
pub(super) fn real(value: f64) -> Value {
    match serde_json::Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => "NaN".into(),
        None if value > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_at_its_rows_and_at_its_bytes() {
        let row = || vec![Value::Null];
        let mut answer = Answer::new(vec!["a".to_owned()], 2);
        for _ in 0..2 {
            assert!(answer.fits(FIXED_VALUE).unwrap());
            answer.push(row(), FIXED_VALUE);
        }
        assert!(!answer.fits(FIXED_VALUE).unwrap());
        let table = answer.finish();
        assert!(table.truncated && table.rows.len() == 2);

        let mut answer = Answer::new(vec!["a".to_owned()], 10);
        assert!(answer.fits(LARGEST_ANSWER).unwrap());
        answer.push(row(), LARGEST_ANSWER);
        assert!(!answer.fits(1).unwrap());
        let first = Answer::new(vec!["a".to_owned()], 10).fits(LARGEST_ANSWER + 1);
        assert!(matches!(first, Err(QueryError::Stopped(_))), "{first:?}");
    }

    #[test]
    fn numbers_that_json_does_not_have_are_texts() {
        assert_eq!(real(0.1), serde_json::json!(0.1));
        assert_eq!([real(f64::NAN), real(f64::NEG_INFINITY)], [Value::from("NaN"), "-Infinity".into()]);
    }
}
