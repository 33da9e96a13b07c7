//! Everything that outlives a process: the only place with SQL.
//!
//! [`Store`] has one module per concern, which holds its records beside its statements. Writes that belong to an
//! attempt carry its [`Lease`](optlab_domain::Lease) and fail with [`StoreError::LeaseLost`] once another attempt has
//! begun. A statement that both databases understand is written once; `database` opens them and has their differences.

#![allow(
    clippy::missing_errors_doc,
    reason = "every method can fail as its database does; `# Errors` names what else"
)]

mod experiments;
mod jobs;
mod queue;
mod tuning;

mod artifacts;
mod curves;
mod series;
mod monitor;
mod pools;
mod query;
mod results;
mod settings;
mod thinning;
mod tokens;
mod transfer;
mod workers;

mod database;
mod error;
mod page;
mod url;
mod version;

use std::sync::Arc;

use tokio::sync::watch;

use self::curves::Uncondensed;
use self::database::{Connect, Database, Reader, Schema, Transaction, sql};
use self::series::SeriesIds;
use self::version::forget_foreign_versions;
use crate::clock::{Clock, SystemClock};
pub use crate::stats::CurvePoint;

pub use self::url::redacted;
pub use artifacts::Artifact;
pub use curves::{Curve, CurveRange, CurveSet};
pub use database::{CopyError, copy_sqlite, database_file};
pub use error::{NotFound, StoreError};
pub use experiments::{Edit, Experiment, Submission};
pub use jobs::{
    Attempt, Cell, Column, Condition, ConditionError, Field, Job, JobCursor, JobFilter, JobGroup, JobOrder,
    LAST_PLACE, LONGEST_CONDITION, MOST_GROUPS, PastRun, Place, Takes,
};
pub use monitor::{Activity, Census};
pub use page::Page;
pub use pools::{Demand, Hold as PoolHold, Pool};
pub use query::{LONGEST_STATEMENT, MOST_ROWS, QueryAnswer, QueryError, QueryRunner, answer_query_of_stdin};
pub use queue::{AttemptEnd, Claim, CompleteRun, Slot};
pub use results::{JobFigures, LastEvaluations};
pub use series::Series;
pub use settings::{Root, artifacts_beside};
pub use thinning::Thinned;
pub use tokens::{Secret, Token};
pub use transfer::{CurveBatch, ExperimentRecord, ExportedJob, Import, ResultsRecord, TimedPoint};
pub use tuning::{Candidate, CandidateRun, Choice, TrialRun, TuningProgress};
pub use workers::{Memory, OfferedDevice, Origin, Worker};

/// A database with the tables of `migrations/`.
pub struct Store {
    database: Database,
    time: Time,
    changes: watch::Sender<u64>,
    series_ids: SeriesIds,
    uncondensed: Uncondensed,
    activity: Activity,
}

/// The clock of writes.
enum Time {
    /// The clock of the database's machine, so that leases do not depend on the clocks of workers.
    Database,
    Given(Arc<dyn Clock>),
}

/// Opens the database at `url` and migrates its schema. Times are those of the database's machine.
///
/// # Errors
/// [`StoreError::Unsupported`] for a URL of another kind than `sqlite:` or `postgres:`, and errors of the database.
pub async fn open(url: &str) -> Result<Arc<Store>, StoreError> {
    open_with(url, Schema::Migrate, None).await
}

/// Like [`open`], but waits until a server or `optlab migrate` has brought the schema up to date.
///
/// # Errors
/// As [`open`].
pub async fn join(url: &str) -> Result<Arc<Store>, StoreError> {
    open_with(url, Schema::Await, None).await
}

/// Like [`open`], with another clock, for tests.
///
/// # Errors
/// As [`open`].
pub async fn open_with_clock(url: &str, clock: Arc<dyn Clock>) -> Result<Arc<Store>, StoreError> {
    open_with(url, Schema::Migrate, Some(clock)).await
}

async fn open_with(
    url: &str,
    schema: Schema,
    clock: Option<Arc<dyn Clock>>,
) -> Result<Arc<Store>, StoreError> {
    let changes = watch::Sender::new(0);
    let database = Database::open(url, schema, changes.clone()).await?;
    let clock = clock.or_else(|| database.is_on_this_machine().then(|| Arc::new(SystemClock) as _));
    if let Database::Postgres(_) = &database {
        forget_foreign_versions(&mut database.read().await?).await?;
    }
    Ok(Arc::new(Store {
        database,
        time: clock.map_or(Time::Database, Time::Given),
        changes,
        series_ids: SeriesIds::default(),
        uncondensed: Uncondensed::default(),
        activity: Activity::default(),
    }))
}

impl Store {
    /// Changes whenever this process has written. Writes of other processes are found only by reading again.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Closes every connection in good order. The database file itself then contains everything that was written.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Succeeds if the database answers and its files are still those that were opened.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.database.check_files()?;
        sql("SELECT 1").execute(&mut self.read().await?).await?;
        Ok(())
    }

    /// Checks with a small write that the database accepts writes.
    pub async fn try_to_write(&self) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        // A transaction without a change would succeed even on a full disk. This one writes a page in SQLite, a row in
        // Postgres.
        sql("INSERT INTO settings (name, value) VALUES ('last_write_check', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(now.to_string())
        .execute(&mut tx)
        .await?;
        self.commit_silently(tx).await
    }

    /// The time of the clock that writes use, in milliseconds since the epoch. Times in rows are compared with it and not
    /// with the clock of this machine.
    pub async fn time_ms(&self) -> Result<i64, StoreError> {
        match self.given_time() {
            Some(now) => Ok(now),
            None => self.now(&mut self.read().await?).await,
        }
    }

    async fn read(&self) -> Result<Reader, StoreError> {
        self.database.read().await
    }

    /// A transaction whose statements all read the same state of the database. It cannot write.
    async fn snapshot(&self) -> Result<Transaction, StoreError> {
        self.database.snapshot().await
    }

    async fn begin(&self) -> Result<Transaction, StoreError> {
        self.database.begin().await
    }

    async fn commit(&self, transaction: Transaction) -> Result<(), StoreError> {
        self.commit_silently(transaction).await?;
        self.report_change();
        Ok(())
    }

    /// Commits without waking waiters.
    async fn commit_silently(&self, transaction: Transaction) -> Result<(), StoreError> {
        transaction.commit().await?;
        self.database.check_files()
    }

    /// Commits what puts jobs into the queue, and wakes the slots of every process.
    async fn commit_queued(&self, mut transaction: Transaction) -> Result<(), StoreError> {
        transaction.wake_slots().await?;
        self.commit(transaction).await
    }

    /// Wakes the waiters of this process after a commit.
    fn report_change(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Milliseconds since the epoch, or `None` if the database's own time counts.
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
