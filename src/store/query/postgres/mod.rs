//! A query in Postgres, as a part of our statement in a read-only transaction.
//!
//! The statement becomes `SELECT ... FROM (statement)`, sent as one prepared statement. Postgres itself therefore
//! accepts only a query, which cannot write, set or lock anything. Names that a query could still call or read (files,
//! other sessions, the tables of tokens) are checked first, see [`names`]. A separate login for these queries, which
//! can only read the tables, is an additional protection.

mod columns;
mod names;
mod session;
mod words;

use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Executor, PgConnection, SqlSafeStr, Statement};

use self::columns::Columns;
pub(super) use self::session::{Session, Target};
use super::Query;
use super::answer::{Added, Answer};
use crate::store::{QueryAnswer, QueryError, StoreError};

impl Session {
    pub(super) async fn answer(&mut self, query: &Query, time: Duration) -> Result<QueryAnswer, QueryError> {
        let answer = read(&mut self.connection, query).await;
        self.idle = match &answer {
            // The server is still sending rows.
            Ok((_, last)) => *last != Added::SizeLimit,
            Err(ReadError::Query(error)) => matches!(error, QueryError::Refused(_)),
            Err(ReadError::Postgres(error)) => error.as_database_error().is_some(),
        };
        answer.map(|(answer, _)| answer.finish()).map_err(|error| error.into_query_error(time))
    }
}

/// Returns the answer, and whether its last row was added.
async fn read(connection: &mut PgConnection, query: &Query) -> Result<(Answer, Added), ReadError> {
    let words = words::read(&query.sql)?;
    names::check(connection, &words.names).await?;
    // The columns of the result; nothing runs yet.
    let prepared = connection.prepare(AssertSqlSafe(words.statement.to_owned()).into_sql_str()).await?;
    let columns = Columns::of(prepared.columns())?;
    // One more row shows whether there are more.
    let bounded = columns.select_from(words.statement, query.most_rows + 1);
    let mut answer = Answer::new(&columns.names(), query.most_rows);
    let mut rows = sqlx::query(AssertSqlSafe(bounded)).persistent(false).fetch(connection);
    let mut last = Added::Yes;
    while let Some(row) = rows.try_next().await? {
        last = match columns.is_too_large(&row)? {
            true => answer.end_before_large_row()?,
            false => answer.add(columns.values(&row))?,
        };
        if last == Added::SizeLimit {
            break;
        }
        // Rows that have arrived already are read without waiting, so yield to other tasks of this thread.
        tokio::task::yield_now().await;
    }
    drop(rows);
    Ok((answer, last))
}

/// The reason why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
enum ReadError {
    Query(#[from] QueryError),
    Postgres(#[from] sqlx::Error),
}

impl ReadError {
    fn into_query_error(self, time: Duration) -> QueryError {
        let error = match self {
            Self::Query(error) => return error,
            Self::Postgres(error) => error,
        };
        let sqlx::Error::Database(reported) = &error else { return StoreError::from(error).into() };
        let code = reported.code().unwrap_or_default();
        let message = format!("PostgreSQL: {}", reported.message());
        match code.get(..2).unwrap_or_default() {
            _ if code == "57014" => QueryError::too_slow(time.as_secs()),
            // The transaction or the login does not allow it.
            "25" => QueryError::Refused(message),
            _ if code == "42501" => QueryError::Refused(message),
            // A limit of this server, such as disk space, or one of Postgres itself.
            _ if code == "53400" || code == "53200" => QueryError::Stopped(message),
            "54" => QueryError::Stopped(message),
            // A table that is locked by a migration.
            "55" => StoreError::Busy.into(),
            // Starting, stopping, full or broken: the store's errors.
            "08" | "28" | "3D" | "53" | "57" | "58" | "F0" | "XX" => StoreError::from(error).into(),
            _ => QueryError::Invalid(message),
        }
    }
}
