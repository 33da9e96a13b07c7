//! A query in SQLite: a read-only connection whose authorizer lets nothing but reading through.
//!
//! The library asks the [`authorizer`] about everything that a statement would do, whatever it is called or hidden in,
//! while it prepares it. A handler that it calls every thousand instructions ends a query that has become too long, or that
//! nobody waits for any more; a [`budget`] ends one that has become too large.

mod authorizer;
mod budget;

use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection, Error, ErrorCode, OpenFlags, Row};
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use self::authorizer::Refusal;
use self::budget::Budget;
pub(super) use self::budget::install as bound_memory;
use super::answer::{Answer, FIXED_VALUE, LONGEST_VALUE, MOST_COLUMNS, ONLY_QUERIES, real};
use crate::store::tokens::hexadecimal;
use crate::store::{LONGEST_STATEMENT, QueryError, StoreError, Table};

/// Instructions between two looks at the clock: some microseconds.
const INSTRUCTIONS: i32 = 1_000;
/// What a query may hold, in bytes. Sorting and grouping happen in memory, so that this bounds them too.
const MEMORY: i64 = 128_000_000;

/// Runs on a thread of its own, which holds the turn until it is done.
pub(super) async fn run(
    file: &Path,
    sql: &str,
    most_rows: usize,
    time: Duration,
    turn: OwnedSemaphorePermit,
) -> Result<Table, QueryError> {
    let given_up = CancellationToken::new();
    let query =
        Query { file: file.to_owned(), sql: sql.to_owned(), most_rows, time, given_up: given_up.clone() };
    let _unless_answered = given_up.drop_guard();
    let answered = spawn_blocking(move || {
        let answer = query.answer();
        drop(turn);
        answer
    });
    answered.await.map_err(|error| StoreError::Database(sqlx::Error::Io(error.into())))?
}

struct Query {
    file: PathBuf,
    sql: String,
    most_rows: usize,
    time: Duration,
    /// Once nobody waits for the answer.
    given_up: CancellationToken,
}

impl Query {
    fn answer(self) -> Result<Table, QueryError> {
        let started = Instant::now();
        let refusal = Refusal::default();
        let connection = self.connect(started, refusal.clone()).map_err(broken)?;
        let answer = self.read(&connection, &mut Budget::new(MEMORY, started + self.time));
        let refusal = refusal.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (answer, refusal) {
            (Err(Unread::Sqlite(_)), Some(refusal)) => Err(refusal),
            (answer, _) => answer.map_err(|unread| unread.told(started.elapsed() >= self.time, self.time)),
        }
    }

    /// A connection that can do nothing but read what users may read. The first thing that it refuses is left in `refusal`.
    fn connect(&self, started: Instant, refusal: Refusal) -> rusqlite::Result<Connection> {
        // No URI: the name is that of a file, whatever it looks like.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.file, flags)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
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
        let (given_up, time) = (self.given_up.clone(), self.time);
        let over = move || given_up.is_cancelled() || started.elapsed() >= time;
        connection.progress_handler(INSTRUCTIONS, Some(over))?;
        authorizer::install(&connection, refusal)?;
        Ok(connection)
    }

    fn read(&self, connection: &Connection, budget: &mut Budget) -> Result<Table, Unread> {
        // One after another, not by `prepare`, which calls itself for every further statement.
        let mut batch = Batch::new(connection, &self.sql);
        let Some(mut statement) = budget.spend(|| batch.next())? else {
            return Err(QueryError::refused("there is no statement").into());
        };
        if budget.spend(|| batch.next())?.is_some() {
            return Err(
                QueryError::refused("one statement at a time; there is a second one after the `;`").into()
            );
        }
        if !statement.readonly() || statement.is_explain() != 0 || statement.column_count() == 0 {
            return Err(QueryError::refused(ONLY_QUERIES).into());
        }
        let columns = statement.column_names().into_iter().map(str::to_owned).collect::<Vec<_>>();
        let width = columns.len();
        let mut answer = Answer::new(columns, self.most_rows);
        let mut rows = statement.raw_query();
        while let Some(row) = budget.spend(|| rows.next())? {
            let bytes = (0..width).map(|index| size(row, index)).sum::<Result<usize, Error>>()?;
            if !answer.fits(bytes)? {
                break;
            }
            answer.push((0..width).map(|index| value(row, index)).collect::<Result<_, Error>>()?, bytes);
        }
        Ok(answer.finish())
    }
}

/// What the value counts for, in bytes.
fn size(row: &Row<'_>, index: usize) -> rusqlite::Result<usize> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => FIXED_VALUE,
        ValueRef::Text(bytes) => bytes.len().max(FIXED_VALUE),
        ValueRef::Blob(bytes) => (2 * bytes.len()).max(FIXED_VALUE),
    })
}

fn value(row: &Row<'_>, index: usize) -> rusqlite::Result<Value> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => value.into(),
        ValueRef::Real(value) => real(value),
        // Nothing makes SQLite keep to UTF-8.
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into(),
        ValueRef::Blob(bytes) => json!({ "hex": hexadecimal(bytes) }),
    })
}

/// Why reading ended early.
enum Unread {
    Told(QueryError),
    Sqlite(Error),
}

impl From<QueryError> for Unread {
    fn from(error: QueryError) -> Self {
        Self::Told(error)
    }
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Unread {
    /// `late`: whether the time was over.
    fn told(self, late: bool, time: Duration) -> QueryError {
        let error = match self {
            Self::Told(error) => return error,
            Self::Sqlite(error) => error,
        };
        let said = match &error {
            Error::SqliteFailure(_, Some(said)) => said.clone(),
            error => error.to_string(),
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted | ErrorCode::OutOfMemory) if late => {
                QueryError::too_slow(time.as_secs())
            }
            Some(ErrorCode::OperationInterrupted | ErrorCode::OutOfMemory) => {
                let megabytes = MEMORY / 1_000_000;
                QueryError::Stopped(format!("the query was stopped: it may use {megabytes} MB of memory"))
            }
            Some(ErrorCode::TooBig) => QueryError::Stopped(format!(
                "{said}: a text, a blob or a row of a table may have at most {LONGEST_VALUE} bytes here"
            )),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy.into(),
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::CannotOpen,
            ) => broken(error),
            _ => QueryError::Invalid(format!("SQLite: {said}")),
        }
    }
}

/// The database itself has failed.
fn broken(error: Error) -> QueryError {
    StoreError::Database(sqlx::Error::Io(std::io::Error::other(error))).into()
}
