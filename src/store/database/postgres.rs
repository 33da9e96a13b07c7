//! Postgres: for workers on several machines.
//!
//! A transaction sees what was committed before each of its statements, and locks the rows on which it decides.
//! Queueing a job notifies a channel; waiting slots listen there, and also poll.

use std::time::Duration;

use futures_util::TryFutureExt;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::connect::{options, reach};
use super::pool::close_unfinished;
use super::schema::{self, Schema, is_current, wait_until_current};
use super::statement::Reader;
use crate::store::StoreError;

/// Connections of one process; a server reads for its pages and writes for its slots.
const CONNECTIONS: u32 = 16;
/// Time limit for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Limits on waiting for a locked row, and on transactions of frozen processes. Set by a statement, because poolers
/// reject startup parameters.
const LIMITS: &str = "SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '60s'";
const CHANNEL: &str = "optlab_queue";
/// Delay before listening to the channel again, after the server could not be reached.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// A database on a server.
pub(in crate::store) struct Postgres {
    pool: PgPool,
    listener: JoinHandle<()>,
}

impl Postgres {
    /// Increments `changes` when any process has put jobs into the queue.
    pub(super) async fn open(
        url: &str,
        schema: Schema,
        changes: watch::Sender<u64>,
    ) -> Result<Self, StoreError> {
        let options = options(url)?;
        reach(&options).await?;
        let pool = close_unfinished(PgPoolOptions::new())
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(|connection, _| {
                Box::pin(async move { sqlx::raw_sql(LIMITS).execute(connection).await.map(drop) })
            })
            .connect_with(options.clone())
            .await?;
        match schema {
            // A role that may not create tables can serve a database that is up to date.
            Schema::Migrate if is_current(&mut Reader::Postgres(pool.acquire().await?)).await? => {}
            Schema::Migrate => {
                // Without the limits: another server may be migrating at present.
                let unlimited = PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
                schema::POSTGRES.run(&unlimited).await?;
                unlimited.close().await;
            }
            Schema::Await => {
                wait_until_current(|| pool.acquire().map_ok(Reader::Postgres)).await?;
            }
        }
        let listener = tokio::spawn(listen(options, changes));
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

/// Wakes waiting slots once this transaction is committed.
pub(super) async fn notify(transaction: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(transaction).await?;
    Ok(())
}

async fn listen(options: PgConnectOptions, changes: watch::Sender<u64>) {
    loop {
        if let Err(error) = heard(&options, &changes).await {
            tracing::warn!(%error, "cannot listen to the database; polling for jobs meanwhile");
        }
        sleep(LISTEN_AGAIN).await;
    }
}

/// Listens until the connection breaks.
async fn heard(options: &PgConnectOptions, changes: &watch::Sender<u64>) -> Result<(), sqlx::Error> {
    let one = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let mut listener = PgListener::connect_with(&one.connect_with(options.clone()).await?).await?;
    listener.listen(CHANNEL).await?;
    // A notification may have been sent before this connection listened.
    changes.send_modify(|changes| *changes += 1);
    while listener.try_recv().await?.is_some() {
        changes.send_modify(|changes| *changes += 1);
    }
    Ok(())
}
