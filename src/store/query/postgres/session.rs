//! The session of a query: begins with the limits of the query, and ends only when the server has stopped working on
//! it.

use std::sync::Once;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::time::sleep;

use crate::store::database::postgres_options;
use crate::store::{QueryError, StoreError};

/// Interval at which the server checks whether the client has disconnected.
const ATTENTION: &str = "1s";
/// The pause between checks for the end of a query doubles from the first to the last of these.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LAST_PAUSE: Duration = Duration::from_secs(2);

/// The server that answers queries.
pub(in super::super) struct Target {
    options: PgConnectOptions,
    /// Ensures that a missing disk limit is logged only once.
    warned: Once,
}

/// A read-only transaction on its own connection.
pub(in super::super) struct Session {
    options: PgConnectOptions,
    pub(super) connection: PgConnection,
    transaction: Transaction,
    /// Whether the server has answered every request of the session.
    pub(super) idle: bool,
}

/// A transaction as `pg_stat_activity` shows it.
struct Transaction {
    pid: i32,
    /// Identifies the transaction, because process ids are reused and a pooler shares processes between clients.
    began: String,
}

impl Target {
    pub(in super::super) fn new(url: &str) -> Result<Self, StoreError> {
        let options = postgres_options(url)?.disable_statement_logging();
        Ok(Self { options, warned: Once::new() })
    }
}

impl Session {
    pub(in super::super) async fn begin(target: &Target, time: Duration) -> Result<Self, QueryError> {
        let session = Self::begin_in(target, time).await;
        Ok(session.map_err(StoreError::from)?)
    }

    async fn begin_in(target: &Target, time: Duration) -> Result<Self, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&target.options).await?;
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
        // Older servers lack client_connection_check_interval.
        let transaction = "SELECT pg_backend_pid(), transaction_timestamp()::TEXT,
            current_setting('temp_file_limit') <> '-1',
            (SELECT set_config(name, $1, true) FROM pg_settings WHERE name = 'client_connection_check_interval')";
        let (pid, began, mut has_disk_limit): (i32, String, bool) =
            sqlx::query_as(transaction).bind(ATTENTION).fetch_one(&mut connection).await?;
        if !has_disk_limit {
            has_disk_limit = limit_disk(&mut connection).await?;
        }
        if !has_disk_limit {
            target.warned.call_once(|| {
                tracing::warn!(
                    "queries of users may fill the disk of PostgreSQL: temp_file_limit is not set, and the login of queries \
                     may not set it; docs/database.md says what an administrator can do"
                );
            });
        }
        let transaction = Transaction { pid, began };
        Ok(Self { options: target.options.clone(), connection, transaction, idle: false })
    }

    /// Id of the server's process.
    pub(in super::super) fn process(&self) -> Option<u32> {
        self.transaction.pid.try_into().ok()
    }

    /// Terminates the server's process and waits until its transaction is over. Some functions of PostgreSQL do not
    /// check for interrupts, so neither `statement_timeout` nor closing the connection stops them.
    pub(in super::super) async fn end(self) {
        let Self { options, connection, transaction, idle } = self;
        if idle {
            let _ = connection.close().await;
            return;
        }
        drop(connection);
        let mut pause = FIRST_PAUSE;
        while !matches!(transaction.terminate(&options).await, Ok(Terminated::Already)) {
            sleep(pause).await;
            pause = LAST_PAUSE.min(2 * pause);
        }
    }
}

/// Whether a transaction has ended.
enum Terminated {
    Already,
    NotYet,
}

impl Transaction {
    async fn terminate(&self, options: &PgConnectOptions) -> Result<Terminated, sqlx::Error> {
        let mut connection = PgConnection::connect_with(options).await?;
        let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE pid = $1 AND xact_start = $2::TIMESTAMPTZ";
        let found =
            sqlx::query(terminate).bind(self.pid).bind(&self.began).fetch_optional(&mut connection).await?;
        connection.close().await?;
        Ok(if found.is_some() { Terminated::NotYet } else { Terminated::Already })
    }
}

/// Limits the disk space for sorting and grouping; returns whether the login may set the limit.
async fn limit_disk(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let limit = "SAVEPOINT before; SET LOCAL temp_file_limit = '1GB'; RELEASE SAVEPOINT before";
    let limited = sqlx::raw_sql(limit).execute(&mut *connection).await.is_ok();
    if !limited {
        sqlx::raw_sql("ROLLBACK TO SAVEPOINT before").execute(connection).await?;
    }
    Ok(limited)
}
