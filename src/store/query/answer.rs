//! The answers to queries of users, their limits and rejections.

use std::io::{self, ErrorKind, Write};

use serde_json::Value;

use crate::store::{QueryAnswer, QueryError};

/// Maximum length of a text or blob in a statement, in bytes.
pub(super) const LONGEST_VALUE: usize = 250_000;
/// Maximum number of values per row.
pub(super) const MOST_COLUMNS: usize = 200;
/// Maximum size of an answer as JSON, in bytes.
pub(super) const LARGEST_ANSWER: usize = 8_000_000;

/// The tables and views that users may read: all except those with keys of clients, settings, hashes of tokens, and
/// packed levels of detail.
pub(super) const READABLE: [&str; 17] = [
    "experiments",
    "jobs",
    "attempts",
    "series",
    "metric_points",
    "results",
    "workers",
    "pools",
    "artifacts",
    "tunings",
    "job_summary",
    "arm_summary",
    "trial_summary",
    "curves",
    "paired_differences",
    "failures",
    "fleet_demand",
];

/// The error for a statement that is not a query.
pub(super) const ONLY_QUERIES: &str = "only SELECT, WITH and VALUES are answered here";
pub(super) const NO_STATEMENT: &str = "there is no statement";
pub(super) const SECOND_STATEMENT: &str = "one statement at a time; there is a second one after the `;`";

impl QueryError {
    pub(super) fn refused(sentence: impl Into<String>) -> Self {
        Self::Refused(sentence.into())
    }

    /// The error for an existing table that users may not read.
    pub(super) fn unreadable(table: &str) -> Self {
        Self::Refused(format!("`{table}` is not readable here; these are: {}", READABLE.join(", ")))
    }

    pub(super) fn too_slow(seconds: u64) -> Self {
        Self::Stopped(format!(
            "the query was stopped after {seconds} seconds; select less at a time, or read a copy of the database"
        ))
    }

    fn too_large_row() -> Self {
        let megabytes = LARGEST_ANSWER / 1_000_000;
        Self::Stopped(format!("one row exceeds the maximum size of an answer, {megabytes} MB"))
    }

    pub(super) fn too_many_columns() -> Self {
        Self::Refused(format!("a row may have at most {MOST_COLUMNS} columns"))
    }
}

/// An answer that is being read. Rows are encoded as JSON immediately, because a tree of values would take many times
/// the memory.
#[derive(Debug)]
pub(super) struct Answer {
    json: Vec<u8>,
    rows: usize,
    most_rows: usize,
    truncated: bool,
}

/// Whether a row was added.
#[derive(Debug, PartialEq)]
pub(super) enum Added {
    Yes,
    /// No: the answer has its maximum number of rows.
    RowLimit,
    /// No: the row would exceed the maximum size of the answer.
    SizeLimit,
}

impl Answer {
    pub(super) fn new(columns: &[String], most_rows: usize) -> Self {
        let json = format!("{{\"columns\":{},\"rows\":[", Value::from(columns)).into_bytes();
        Self { json, rows: 0, most_rows, truncated: false }
    }

    /// Adds a row. After a row that was not added, no other may be.
    ///
    /// # Errors
    /// Errors of the values, and [`QueryError::Stopped`] if the first row alone exceeds the maximum size.
    pub(super) fn add<E: From<QueryError>>(
        &mut self,
        values: impl IntoIterator<Item = Result<Value, E>>,
    ) -> Result<Added, E> {
        if self.rows == self.most_rows {
            self.truncated = true;
            return Ok(Added::RowLimit);
        }
        let whole_rows = self.json.len();
        for (index, value) in values.into_iter().enumerate() {
            let before: &[u8] = match (index, self.rows) {
                (0, 0) => b"[",
                (0, _) => b",[",
                _ => b",",
            };
            self.json.extend_from_slice(before);
            if serde_json::to_writer(BoundedWriter(&mut self.json), &value?).is_err() {
                self.json.truncate(whole_rows);
                return Ok(self.end_before_large_row()?);
            }
        }
        self.json.push(b']');
        self.rows += 1;
        Ok(Added::Yes)
    }

    /// Ends the answer before a row that would exceed its maximum size.
    ///
    /// # Errors
    /// [`QueryError::Stopped`] if it would be the first row.
    pub(super) fn end_before_large_row(&mut self) -> Result<Added, QueryError> {
        if self.rows == 0 {
            return Err(QueryError::too_large_row());
        }
        self.truncated = true;
        Ok(Added::SizeLimit)
    }

    pub(super) fn finish(mut self) -> QueryAnswer {
        self.json.extend_from_slice(format!("],\"truncated\":{}}}", self.truncated).as_bytes());
        QueryAnswer { json: self.json }
    }
}

/// A writer that fails at the maximum size of an answer.
struct BoundedWriter<'a>(&'a mut Vec<u8>);

impl Write for BoundedWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LARGEST_ANSWER {
            return Err(ErrorKind::FileTooLarge.into());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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

    fn add(answer: &mut Answer, values: &[Value]) -> Result<Added, QueryError> {
        answer.add(values.iter().cloned().map(Ok))
    }

    fn written(answer: Answer) -> Value {
        let json = answer.finish().json;
        assert!(json.len() <= LARGEST_ANSWER + 100);
        serde_json::from_slice(&json).unwrap()
    }

    #[test]
    fn an_answer_ends_at_its_rows() {
        let mut answer = Answer::new(&["a".to_owned(), "b\"".to_owned()], 2);
        assert_eq!(add(&mut answer, &["x".into(), 1.into()]).unwrap(), Added::Yes);
        assert_eq!(add(&mut answer, &[Value::Null, 2.into()]).unwrap(), Added::Yes);
        assert_eq!(add(&mut answer, &[Value::Null, 3.into()]).unwrap(), Added::RowLimit);
        let rows = serde_json::json!([["x", 1], [null, 2]]);
        let expected = serde_json::json!({ "columns": ["a", "b\""], "rows": rows, "truncated": true });
        assert_eq!(written(answer), expected);
        let none = serde_json::json!({ "columns": ["a"], "rows": [], "truncated": false });
        assert_eq!(written(Answer::new(&["a".to_owned()], 2)), none);
    }

    #[test]
    fn an_answer_ends_at_its_bytes_as_json() {
        // Each of these characters is six in JSON.
        let value = |characters: usize| [Value::from("\u{1}".repeat(characters))];
        let mut answer = Answer::new(&["a".to_owned()], 10);
        assert_eq!(add(&mut answer, &value(1_000_000)).unwrap(), Added::Yes);
        assert_eq!(add(&mut answer, &value(1_000_000)).unwrap(), Added::SizeLimit);
        let answer = written(answer);
        assert_eq!((answer["rows"].as_array().unwrap().len(), &answer["truncated"]), (1, &true.into()));

        let first = add(&mut Answer::new(&["a".to_owned()], 10), &value(1_500_000));
        assert!(matches!(first, Err(QueryError::Stopped(_))), "{first:?}");
    }

    #[test]
    fn numbers_that_json_lacks_are_texts() {
        assert_eq!(real(0.1), serde_json::json!(0.1));
        assert_eq!([real(f64::NAN), real(f64::NEG_INFINITY)], [Value::from("NaN"), "-Infinity".into()]);
    }
}
