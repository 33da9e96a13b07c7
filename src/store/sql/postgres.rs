//! Postgres: for workers on several machines.
//!
//! A transaction sees what was committed before each of its statements, and locks the rows that it decides by. Who puts
//! jobs into the queue says so on a channel; who waits for jobs listens there, and asks now and then all the same.

use std::str::FromStr;
use std::time::Duration;

use sqlx::Connection;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::pool::close_unfinished;
use super::schema::{self, Schema, wait_until_current};
use super::statement::Reader;
use crate::store::StoreError;
use crate::store::error::said;

/// Of one process; a server asks for its pages and writes for its slots.
const CONNECTIONS: u32 = 16;
/// How long a statement waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// `invalid_catalog_name`, of the error codes of PostgreSQL (appendix A).
const NO_SUCH_DATABASE: &str = "3D000";
const CHANNEL: &str = "optlab_queue";
/// Before the channel is listened to again, after the server was not to be reached.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// A database on a server.
pub(super) struct Postgres {
    pool: PgPool,
    listener: JoinHandle<()>,
}

impl Postgres {
    /// Counts `changes` up when any process has put jobs into the queue.
    pub(super) async fn open(
        url: &str,
        schema: Schema,
        changes: watch::Sender<u64>,
    ) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?;
        reach(&options).await?;
        let pool = close_unfinished(PgPoolOptions::new())
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await?;
        match schema {
            Schema::Migrate => schema::POSTGRES.run(&pool).await?,
            Schema::Await => wait_until_current(&mut Reader::Postgres(pool.acquire().await?)).await?,
        }
        let listener = tokio::spawn(listen(url.to_owned(), changes));
        Ok(Self { pool, listener })
    }

    pub(super) async fn read(&self) -> Result<PoolConnection<sqlx::Postgres>, sqlx::Error> {
        self.pool.acquire().await
    }

    pub(super) async fn snapshot(&self) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, sqlx::Error> {
        self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    pub(super) async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, sqlx::Error> {
        self.pool.begin().await
    }

    pub(super) async fn close(&self) {
        self.listener.abort();
        self.pool.close().await;
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// One connection by itself: a pool would try again until its time is over, and could not say why in the end.
async fn reach(options: &PgConnectOptions) -> Result<(), StoreError> {
    let place = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let Ok(connected) = timeout(ACQUIRE_TIMEOUT, PgConnection::connect_with(options)).await else {
        let seconds = ACQUIRE_TIMEOUT.as_secs();
        return Err(StoreError::Unavailable(format!("no answer from {place} within {seconds} s")));
    };
    match connected {
        Ok(connection) => Ok(connection.close().await?),
        Err(sqlx::Error::Io(error)) => Err(StoreError::Unavailable(format!(
            "{place}: {error}; is PostgreSQL running, and listening there?"
        ))),
        Err(error @ sqlx::Error::Database(_)) => {
            let said = said(&error);
            let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default();
            let cure = if code == NO_SUCH_DATABASE { "; `createdb` makes one" } else { "" };
            Err(StoreError::Unavailable(format!("PostgreSQL at {place}: {said}{cure}")))
        }
        Err(error) => Err(error.into()),
    }
}

/// Wakes who waits for jobs, once this transaction is committed.
pub(super) async fn notify(transaction: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(transaction).await?;
    Ok(())
}

async fn listen(url: String, changes: watch::Sender<u64>) {
    loop {
        if let Err(error) = heard(&url, &changes).await {
            tracing::warn!(%error, "cannot listen to the database; jobs are found by asking meanwhile");
        }
        sleep(LISTEN_AGAIN).await;
    }
}

/// Until the connection breaks.
async fn heard(url: &str, changes: &watch::Sender<u64>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect(url).await?;
    listener.listen(CHANNEL).await?;
    // Something may have been said before this connection listened, or while the last one was broken.
    changes.send_modify(|changes| *changes += 1);
    while listener.try_recv().await?.is_some() {
        changes.send_modify(|changes| *changes += 1);
    }
    Ok(())
}
