//! The store in a SQL database: SQLite, the embedded default, or Postgres, for several machines.
//!
//! A statement is written once where both databases understand it ([`statement`]); opening them, and the little that
//! they do differently, is in [`sqlite`] and [`postgres`].

/// SQL for the number that `jobs.version` gets from the transaction that runs it.
///
/// SQLite's writers take turns, so numbers commit in order. Those of Postgres are the transaction's own, which commit in
/// any order; [`settled_version`] tells up to where none is missing any more.
macro_rules! new_version {
    (sqlite) => {
        "(SELECT coalesce(max(version), 0) + 1 FROM jobs)"
    };
    (postgres) => {
        "pg_current_xact_id()::TEXT::BIGINT"
    };
}

mod actions;
mod experiments;
mod jobs;
mod listing;

mod claim;
mod ends;
mod places;
mod queue;
mod record;

mod artifacts;
mod curves;
mod metrics;
mod monitor;
mod results;
mod settings;
mod thinning;
mod tokens;
mod transfer;
mod workers;

mod query;

mod connect;
mod files;
mod pool;
mod postgres;
mod schema;
mod sqlite;
mod statement;
mod word;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use self::curves::Uncondensed;
use self::metrics::SeriesIds;
use self::postgres::Postgres;
pub use self::query::{QueryRunner, answer_query_of_stdin};
pub(super) use self::schema::Schema;
use self::sqlite::Sqlite;
pub use self::sqlite::{CopyError, copy_sqlite};
use self::statement::{Connect, Connection, Reader, Transaction, sql};
use super::{Activity, Store, StoreError};
use crate::clock::Clock;

/// A database with the tables of `migrations/`.
pub(super) struct SqlStore {
    database: Database,
    time: Time,
    changes: watch::Sender<u64>,
    series_ids: SeriesIds,
    uncondensed: Uncondensed,
    activity: Activity,
}

enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// Where the time of a write comes from.
enum Time {
    /// Of the database's machine, so that leases do not depend on the clocks of workers.
    Database,
    Given(Arc<dyn Clock>),
}

impl SqlStore {
    pub(super) async fn sqlite(url: &str, schema: Schema, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let database = Database::Sqlite(Sqlite::open(url, schema).await?);
        let changes = watch::Sender::new(0);
        Ok(Self::new(database, Time::Given(clock), changes))
    }

    /// Without a `clock`, by that of the database.
    pub(super) async fn postgres(
        url: &str,
        schema: Schema,
        clock: Option<Arc<dyn Clock>>,
    ) -> Result<Self, StoreError> {
        let changes = watch::Sender::new(0);
        let database = Database::Postgres(Postgres::open(url, schema, changes.clone()).await?);
        let time = clock.map_or(Time::Database, Time::Given);
        Ok(Self::new(database, time, changes))
    }

    fn new(database: Database, time: Time, changes: watch::Sender<u64>) -> Self {
        let (series_ids, uncondensed, activity) = Default::default();
        Self { database, time, changes, series_ids, uncondensed, activity }
    }

    async fn read(&self) -> Result<Reader, StoreError> {
        Ok(match &self.database {
            Database::Sqlite(sqlite) => Reader::Sqlite(sqlite.read().await?),
            Database::Postgres(postgres) => Reader::Postgres(postgres.read().await?),
        })
    }

    /// A transaction whose statements all read the database as it is at one moment. It cannot write.
    async fn snapshot(&self) -> Result<Transaction, StoreError> {
        Ok(match &self.database {
            Database::Sqlite(sqlite) => Transaction::Sqlite(sqlite.snapshot().await?),
            Database::Postgres(postgres) => Transaction::Postgres(postgres.snapshot().await?),
        })
    }

    async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(match &self.database {
            Database::Sqlite(sqlite) => Transaction::Sqlite(sqlite.begin().await?),
            Database::Postgres(postgres) => Transaction::Postgres(postgres.begin().await?),
        })
    }

    async fn commit(&self, transaction: Transaction) -> Result<(), StoreError> {
        self.commit_in_silence(transaction).await?;
        self.tell_change();
        Ok(())
    }

    /// Commits without waking waiters.
    async fn commit_in_silence(&self, transaction: Transaction) -> Result<(), StoreError> {
        transaction.commit().await?;
        self.check_files()
    }

    /// Fails if commits would be lost because a file of the database was moved.
    fn check_files(&self) -> Result<(), StoreError> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.check_files(),
            Database::Postgres(_) => Ok(()),
        }
    }

    /// Something was committed: whoever waits in this process looks again.
    fn tell_change(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Commits what puts jobs into the queue, and wakes the slots of every process.
    async fn commit_queued(&self, mut transaction: Transaction) -> Result<(), StoreError> {
        if let Transaction::Postgres(transaction) = &mut transaction {
            postgres::notify(transaction).await?;
        }
        self.commit(transaction).await
    }

    /// Milliseconds since the epoch, where it is not the database that tells them.
    fn given_time(&self) -> Option<i64> {
        match &self.time {
            Time::Given(clock) => Some(clock.now_ms()),
            Time::Database => None,
        }
    }

    /// Milliseconds since the epoch.
    async fn now(&self, on: &mut impl Connect) -> Result<i64, StoreError> {
        match self.given_time() {
            Some(now) => Ok(now),
            None => {
                sql("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::BIGINT").fetch_number(on).await
            }
        }
    }
}

#[async_trait]
impl Store for SqlStore {
    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn close(&self) {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.close().await,
            Database::Postgres(postgres) => postgres.close().await,
        }
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.check_files()?;
        sql("SELECT 1").execute(&mut self.read().await?).await?;
        Ok(())
    }
}

/// The number of [`new_version`] for what this transaction writes.
async fn next_version(tx: &mut Transaction) -> Result<i64, StoreError> {
    tx.either(concat!("SELECT ", new_version!(sqlite)), concat!("SELECT ", new_version!(postgres)))
        .fetch_number(tx)
        .await
}

/// Whatever was or will be written with this version or an earlier one can be seen on this connection.
async fn settled_version(on: &mut impl Connect) -> Result<i64, StoreError> {
    sql(match on.connection() {
        Connection::Sqlite(_) => "SELECT coalesce(max(version), 0) FROM jobs",
        Connection::Postgres(_) => "SELECT pg_snapshot_xmin(pg_current_snapshot())::TEXT::BIGINT - 1",
    })
    .fetch_number(on)
    .await
}
