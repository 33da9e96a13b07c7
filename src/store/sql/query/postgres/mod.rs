//! A query in Postgres: within a transaction that only reads, as a part of a statement of ours.
//!
//! The statement becomes `SELECT ... FROM (statement)`, sent as one prepared statement. So Postgres itself takes nothing
//! but a query, which cannot write, set or lock anything. What a query could still call or read (files, other
//! sessions, the tables of tokens) is checked by name first, see [`names`]; a login of its own for this door, which can
//! read the tables and nothing else, makes that check the second one.

mod columns;
mod names;
mod words;

use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr, Statement};
use tokio::sync::OwnedSemaphorePermit;

use self::columns::Columns;
use super::answer::Answer;
use crate::store::{QueryError, StoreError, Table};

/// Space for sorting and grouping on the server's disk, where the login may set it.
const DISK: &str = "1GB";
/// How soon the server sees that nobody waits for an answer any more.
const ATTENTION: &str = "1s";

/// On a connection of its own; to drop it is to stop the query.
pub(super) async fn run(
    options: &PgConnectOptions,
    sql: &str,
    most_rows: usize,
    time: Duration,
    _turn: OwnedSemaphorePermit,
) -> Result<Table, QueryError> {
    let words = words::read(sql)?;
    let answer = async {
        let mut connection = begin(options, time).await?;
        names::check(&mut connection, &words.names).await?;
        let answer = read(&mut connection, words.statement, most_rows).await?;
        // Whatever was asked, nothing is committed. An answer does not wait for the goodbye.
        drop(connection);
        Ok(answer)
    };
    answer.await.map_err(|unread: Unread| unread.told(time))
}

/// A transaction that can only read.
async fn begin(options: &PgConnectOptions, time: Duration) -> Result<PgConnection, sqlx::Error> {
    let mut connection = PgConnection::connect_with(options).await?;
    let settings = format!(
        "BEGIN TRANSACTION READ ONLY;
         SET LOCAL statement_timeout = {};
         SET LOCAL lock_timeout = 2000;
         SET LOCAL standard_conforming_strings = on;
         SET LOCAL max_parallel_workers_per_gather = 0;
         SET LOCAL jit = off",
        time.as_millis()
    );
    sqlx::raw_sql(AssertSqlSafe(settings)).execute(&mut connection).await?;
    // Not every server has the one, and not every login may set the other.
    let more =
        "SELECT set_config(name, CASE name WHEN 'temp_file_limit' THEN $1 ELSE $2 END, true) FROM pg_settings
        WHERE name = 'client_connection_check_interval'
           OR name = 'temp_file_limit' AND current_setting('is_superuser') = 'on'";
    sqlx::query(more).bind(DISK).bind(ATTENTION).execute(&mut connection).await?;
    Ok(connection)
}

async fn read(connection: &mut PgConnection, statement: &str, most_rows: usize) -> Result<Table, Unread> {
    // What it would return; nothing runs yet.
    let prepared = connection.prepare(AssertSqlSafe(statement.to_owned()).into_sql_str()).await?;
    let columns = Columns::of(prepared.columns())?;
    // One row more tells whether there are more.
    let bounded = columns.select_from(statement, most_rows + 1);
    let mut answer = Answer::new(columns.names(), most_rows);
    let mut rows = sqlx::query(AssertSqlSafe(bounded)).persistent(false).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let bytes = columns.size(&row)?;
        if !answer.fits(bytes)? {
            break;
        }
        answer.push(columns.values(&row)?, bytes);
    }
    Ok(answer.finish())
}

/// Why there is no answer.
enum Unread {
    Told(QueryError),
    Postgres(sqlx::Error),
}

impl From<QueryError> for Unread {
    fn from(error: QueryError) -> Self {
        Self::Told(error)
    }
}

impl From<sqlx::Error> for Unread {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}

impl Unread {
    fn told(self, time: Duration) -> QueryError {
        let error = match self {
            Self::Told(error) => return error,
            Self::Postgres(error) => error,
        };
        let sqlx::Error::Database(said) = &error else { return StoreError::from(error).into() };
        let (code, said) = (said.code().unwrap_or_default(), format!("PostgreSQL: {}", said.message()));
        match code.get(..2).unwrap_or_default() {
            _ if code == "57014" => QueryError::too_slow(time.as_secs()),
            // What the transaction or the login does not allow.
            "25" => QueryError::Refused(said),
            _ if code == "42501" => QueryError::Refused(said),
            // A limit of this server, that of the disk say, or one of Postgres itself.
            _ if code == "53400" || code == "53200" => QueryError::Stopped(said),
            "54" => QueryError::Stopped(said),
            // A lock that is not to be had, on a table that is being migrated.
            "55" => StoreError::Busy.into(),
            // Starting, stopping, full or broken: the store's errors.
            "08" | "28" | "3D" | "53" | "57" | "58" | "F0" | "XX" => StoreError::from(error).into(),
            _ => QueryError::Invalid(said),
        }
    }
}
