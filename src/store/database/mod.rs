//! The two databases: SQLite, the embedded default, and Postgres, for several machines.

mod postgres;
mod sqlite;

mod connect;
mod files;
mod pool;
mod schema;

mod statement;
mod composed;
mod word;

use std::path::PathBuf;

use tokio::sync::watch;

pub(super) use self::composed::Composed;
pub(super) use self::connect::options as postgres_options;
use self::postgres::Postgres;
pub(super) use self::schema::Schema;
pub use self::sqlite::{CopyError, copy_sqlite};
pub(super) use self::sqlite::{Sqlite, options as sqlite_options};
pub(super) use self::statement::{Connect, Reader, Statement, Transaction, Value, locked, per_database, sql};
use super::{StoreError, redacted};

/// The file of the database at `url`; `None` for Postgres.
///
/// # Errors
/// [`StoreError::Unsupported`] for a URL of another kind than `sqlite:` or `postgres:`, [`StoreError::Unavailable`] for
/// an SQLite database without a file.
pub fn database_file(url: &str) -> Result<Option<PathBuf>, StoreError> {
    match url.split_once(':') {
        Some(("sqlite", _)) => Ok(Some(sqlite_options(url)?.get_filename().to_owned())),
        Some(("postgres" | "postgresql", _)) => Ok(None),
        _ => Err(StoreError::Unsupported(redacted(url))),
    }
}

/// An open database.
pub(super) enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Database {
    /// Opens the database at `url`. `changes` grows when another process has put jobs into the queue of a Postgres
    /// database.
    pub(super) async fn open(
        url: &str,
        schema: Schema,
        changes: watch::Sender<u64>,
    ) -> Result<Self, StoreError> {
        match url.split_once(':') {
            Some(("sqlite", _)) => Ok(Self::Sqlite(Sqlite::open(url, schema).await?)),
            Some(("postgres" | "postgresql", _)) => {
                Ok(Self::Postgres(Postgres::open(url, schema, changes).await?))
            }
            _ => Err(StoreError::Unsupported(redacted(url))),
        }
    }

    /// Whether this machine's clock is that of the database.
    pub(super) fn is_on_this_machine(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    pub(super) async fn read(&self) -> Result<Reader, StoreError> {
        Ok(match self {
            Self::Sqlite(sqlite) => Reader::Sqlite(sqlite.read().await?),
            Self::Postgres(postgres) => Reader::Postgres(postgres.read().await?),
        })
    }

    /// A transaction whose statements all read the same state of the database. It cannot write.
    pub(super) async fn snapshot(&self) -> Result<Transaction, StoreError> {
        Ok(match self {
            Self::Sqlite(sqlite) => Transaction::Sqlite(sqlite.snapshot().await?),
            Self::Postgres(postgres) => Transaction::Postgres(postgres.snapshot().await?),
        })
    }

    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(match self {
            Self::Sqlite(sqlite) => Transaction::Sqlite(sqlite.begin().await?),
            Self::Postgres(postgres) => Transaction::Postgres(postgres.begin().await?),
        })
    }

    /// Fails if commits would be lost because a file of the database was moved.
    pub(super) fn check_files(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.check_files(),
            Self::Postgres(_) => Ok(()),
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(sqlite) => sqlite.close().await,
            Self::Postgres(postgres) => postgres.close().await,
        }
    }
}

impl Transaction {
    /// Wakes the slots of every process once this transaction is committed. With SQLite, other processes poll.
    pub(super) async fn wake_slots(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(transaction) => postgres::notify(transaction).await,
        }
    }
}
