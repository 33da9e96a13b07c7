//! The child process of a query: a read-only connection whose authorizer allows nothing but reading.
//!
//! While SQLite prepares a statement, it consults the [`authorizer`] about every action of the statement, however
//! deeply nested. The heap limit bounds the memory of the statement, including its preparation, where a short statement
//! can grow exponentially.

use std::io::{self, Write, sink, stdin, stdout};
use std::path::Path;
use std::sync::PoisonError;
use std::{process, thread};

use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection, Error, ErrorCode, OpenFlags, Row, ffi};
use serde_json::{Value, json};

use super::super::Query;
use super::super::answer::{
    Added, Answer, LONGEST_VALUE, MOST_COLUMNS, NO_STATEMENT, ONLY_QUERIES, SECOND_STATEMENT, real,
};
use super::authorizer::{self, FirstRejection};
use super::{Report, failed};
use crate::store::{LONGEST_STATEMENT, QueryAnswer, QueryError, StoreError};

/// The memory limit of a query, in bytes. It includes sorting and grouping, which happen in memory.
const MEMORY: i64 = 128_000_000;

/// Reads a query from standard input and writes its answer or its error to standard output; returns whether it was
/// answered. The process exits when its input is closed.
///
/// # Errors
/// If the server is gone.
pub fn answer_query_of_stdin(file: &Path) -> io::Result<bool> {
    let mut line = String::new();
    stdin().read_line(&mut line)?;
    let query = serde_json::from_str(&line)?;
    thread::spawn(|| {
        let _ = io::copy(&mut stdin(), &mut sink());
        process::exit(1);
    });
    let answer = answer(file, &query).map_err(Report::from);
    match &answer {
        Ok(answer) => stdout().write_all(&answer.json)?,
        Err(failed) => serde_json::to_writer(stdout(), failed)?,
    }
    stdout().flush()?;
    Ok(answer.is_ok())
}

fn answer(file: &Path, query: &Query) -> Result<QueryAnswer, QueryError> {
    let refusal = FirstRejection::default();
    let connection = connect(file, refusal.clone()).map_err(failed)?;
    let answer = read(&connection, query);
    let refusal = refusal.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (answer, refusal) {
        (Err(ReadError::Sqlite(_)), Some(refusal)) => Err(refusal),
        (answer, _) => answer.map_err(ReadError::into_query_error),
    }
}

/// A connection that can only read the tables that users may read. It stores the first refused action in `refusal`.
fn connect(file: &Path, refusal: FirstRejection) -> rusqlite::Result<Connection> {
    // Not a URI: the name is always that of a file.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Applies to the whole process.
    connection.pragma_update(None, "hard_heap_limit", MEMORY)?;
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, LONGEST_VALUE),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, LONGEST_STATEMENT),
        (Limit::SQLITE_LIMIT_COLUMN, MOST_COLUMNS),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 500),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 100),
        (Limit::SQLITE_LIMIT_VDBE_OP, 500_000),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 100),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 0),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, most as i32)?;
    }
    authorizer::install(&connection, refusal)?;
    Ok(connection)
}

fn read(connection: &Connection, query: &Query) -> Result<QueryAnswer, ReadError> {
    // `Batch`, because `prepare` recurses for every further statement.
    let mut batch = Batch::new(connection, &query.sql);
    let Some(mut statement) = batch.next()? else {
        return Err(QueryError::refused(NO_STATEMENT).into());
    };
    if batch.next()?.is_some() {
        return Err(QueryError::refused(SECOND_STATEMENT).into());
    }
    if !statement.readonly() || statement.is_explain() != 0 || statement.column_count() == 0 {
        return Err(QueryError::refused(ONLY_QUERIES).into());
    }
    let columns = statement.column_names().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mut answer = Answer::new(&columns, query.most_rows);
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let values = (0..columns.len()).map(|index| Ok(value(row, index)?));
        if answer.add::<ReadError>(values)? != Added::Yes {
            break;
        }
    }
    Ok(answer.finish())
}

fn value(row: &Row<'_>, index: usize) -> rusqlite::Result<Value> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => value.into(),
        ValueRef::Real(value) => real(value),
        // SQLite does not enforce UTF-8.
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into(),
        ValueRef::Blob(bytes) => json!({ "hex": hex::encode(bytes) }),
    })
}

/// The reason why reading ended early.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
enum ReadError {
    Query(#[from] QueryError),
    Sqlite(#[from] Error),
}

impl ReadError {
    fn into_query_error(self) -> QueryError {
        let error = match self {
            Self::Query(error) => return error,
            Self::Sqlite(error) => error,
        };
        let message = match &error {
            Error::SqliteFailure(_, Some(message)) => message.clone(),
            error => error.to_string(),
        };
        let has_no_memory =
            error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_NOMEM);
        match error.sqlite_error_code() {
            code if has_no_memory || code == Some(ErrorCode::OutOfMemory) => {
                let megabytes = MEMORY / 1_000_000;
                QueryError::Stopped(format!("the query was stopped: it may use {megabytes} MB of memory"))
            }
            Some(ErrorCode::TooBig) => QueryError::Stopped(format!(
                "{message}: a text, a blob or a row of a table may have at most {LONGEST_VALUE} bytes here"
            )),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy.into(),
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::CannotOpen,
            ) => failed(error),
            _ => QueryError::Invalid(format!("SQLite: {message}")),
        }
    }
}
