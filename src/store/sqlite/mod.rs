//! SQLite, the embedded default: one file beside its artifacts.
//!
//! One connection writes, several read; a write transaction is immediate and waits for nothing but the file. The log
//! is written ahead and synced before a commit returns, so what was acknowledged survives `kill -9` and power loss.

mod experiments;
mod jobs;

mod ends;
mod queue;

mod metrics;
mod workers;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{SqliteConnection, Transaction};
use tokio::sync::watch;

use super::{Store, StoreError};
use crate::clock::Clock;

/// How long a statement waits for another process to release the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const READERS: u32 = 4;

/// A database file.
pub(super) struct Sqlite {
    writer: SqlitePool,
    readers: SqlitePool,
    clock: Arc<dyn Clock>,
    changes: watch::Sender<u64>,
}

/// A write transaction of this database.
type Write = Transaction<'static, sqlx::Sqlite>;

impl Sqlite {
    pub(super) async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(BUSY_TIMEOUT)
            .connect_with(options.clone());
        let writer = writer.await?;
        sqlx::migrate!("migrations/sqlite").run(&writer).await?;
        // `query_only` rather than read-only: a reader may have to recover the log of a process that was killed.
        let read = options.create_if_missing(false).pragma("query_only", "on");
        let readers = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(BUSY_TIMEOUT);
        let readers = readers.connect_with(read).await?;
        Ok(Self { writer, readers, clock, changes: watch::Sender::new(0) })
    }

    async fn begin(&self) -> Result<Write, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    async fn commit(&self, transaction: Write) -> Result<(), StoreError> {
        transaction.commit().await?;
        self.changes.send_modify(|changes| *changes += 1);
        Ok(())
    }
}

#[async_trait]
impl Store for Sqlite {
    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn close(&self) {
        // The last connection of a file moves its log into it.
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }
}

/// The number for `jobs.version` of what this transaction writes. Writers take turns, so numbers commit in order.
async fn next_version(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT coalesce(max(version), 0) + 1 FROM jobs").fetch_one(connection).await?)
}
