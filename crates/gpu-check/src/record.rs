//! The rows that a part finds, each written at once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::CheckError;

/// The name of the file of rows in the folder of a part.
pub const ROWS: &str = "rows.jsonl";

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Title of the table.
    pub table: String,
    /// Whether the check passed; `None` for a row that only informs.
    pub passed: Option<bool>,
    /// Values by column.
    pub cells: Map<String, Value>,
}

/// A file of rows, one per line.
#[derive(Debug)]
pub struct Records(File);

impl Records {
    /// Appends to the file at `path`.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn append_to(path: &Path) -> io::Result<Self> {
        Ok(Self(OpenOptions::new().create(true).append(true).open(path)?))
    }

    /// Writes a row; `cells` is a struct or a map.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn row(
        &mut self,
        table: &str,
        passed: Option<bool>,
        cells: impl Serialize,
    ) -> Result<(), CheckError> {
        let cells = match serde_json::to_value(cells)? {
            Value::Object(cells) => cells,
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        let line = serde_json::to_string(&Row { table: table.to_owned(), passed, cells })?;
        Ok(writeln!(self.0, "{line}")?)
    }

    /// Writes a row that says why there is no other.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn failed(&mut self, table: &str, what: &str, error: &CheckError) -> Result<(), CheckError> {
        let cells = serde_json::json!({ "what": what, "error": error.to_string() });
        self.row(table, Some(false), cells)
    }
}

/// The rows of the file at `path`, without a last line that a killed process left unfinished. None if there is no file.
pub fn read(path: &Path) -> Vec<Row> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_survive_a_process_that_is_killed_while_it_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        assert_eq!(read(&path), []);
        Records::append_to(&path).unwrap().row("sizes", Some(true), json!({ "d": 3 })).unwrap();
        let mut again = Records::append_to(&path).unwrap();
        again.row("sizes", None, json!({ "error": f64::NAN })).unwrap();
        again.0.write_all(br#"{"table": "siz"#).unwrap();
        let rows = read(&path);
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].passed, &rows[0].cells["d"]), (Some(true), &json!(3)));
        assert_eq!((rows[1].passed, &rows[1].cells["error"]), (None, &Value::Null));
    }
}
