//! Statements of users: read-only, one at a time, and bounded.
//!
//! Every query has a connection of its own, apart from those of the store, and the connection ends with it: no setting,
//! lock or cursor of one query is there for the next, and a query never waits for, or keeps waiting, what the service
//! does. In SQLite the library says what a statement would do ([`sqlite`]); in Postgres a read-only transaction and the
//! catalog do ([`postgres`]).

mod answer;
mod postgres;
mod sqlite;

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::store::{LONGEST_STATEMENT, MOST_ROWS, QueryError, StoreError, Table, redacted};

/// Queries at the same time.
const AT_A_TIME: usize = 4;
/// How long a query waits for its turn.
const PATIENCE: Duration = Duration::from_secs(2);
/// What an answer may come after its time: what cannot be interrupted at once is given up then.
const GRACE: Duration = Duration::from_secs(1);

/// Answers the queries of users.
pub struct QueryDoor {
    place: Place,
    /// How long a query may run.
    time: Duration,
    turns: Arc<Semaphore>,
}

enum Place {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl QueryDoor {
    /// To the database at `url`, whose schema is that of this program. Nothing is opened yet, and for SQLite nothing may have
    /// been opened yet in this process: its memory could not be bounded any more.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] for a URL of another kind than `sqlite:` or `postgres:`; [`StoreError::Conflict`] where
    /// SQLite has been in use.
    pub fn new(url: &str, time: Duration) -> Result<Self, StoreError> {
        let place = match url.split_once(':') {
            Some(("sqlite", _)) => {
                if !sqlite::bound_memory() {
                    let reason = "SQLite was in use before its memory could be bounded".to_owned();
                    return Err(StoreError::Conflict(reason));
                }
                Place::Sqlite(SqliteConnectOptions::from_str(url)?.get_filename().to_owned())
            }
            Some(("postgres" | "postgresql", _)) => {
                Place::Postgres(Box::new(PgConnectOptions::from_str(url)?.disable_statement_logging()))
            }
            _ => return Err(StoreError::Unsupported(redacted(url))),
        };
        Ok(Self { place, time, turns: Arc::new(Semaphore::new(AT_A_TIME)) })
    }

    /// The first `most_rows` rows of the answer to `sql`, which must be one statement that only reads. Whoever stops waiting
    /// for it stops it.
    ///
    /// # Errors
    /// [`QueryError`] says which.
    pub async fn query(&self, sql: &str, most_rows: usize) -> Result<Table, QueryError> {
        if sql.len() > LONGEST_STATEMENT {
            return Err(QueryError::Refused(format!(
                "a statement may have at most {LONGEST_STATEMENT} bytes, this one has {}",
                sql.len()
            )));
        }
        let turn = timeout(PATIENCE, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(QueryError::NoTurn) };
        let most_rows = most_rows.min(MOST_ROWS);
        let answer = async {
            match &self.place {
                Place::Sqlite(file) => sqlite::run(file, sql, most_rows, self.time, turn).await,
                Place::Postgres(options) => postgres::run(options, sql, most_rows, self.time, turn).await,
            }
        };
        let answer = timeout(self.time + GRACE, answer).await;
        answer.unwrap_or_else(|_| Err(QueryError::too_slow(self.time.as_secs())))
    }
}
