//! SQLite: one file beside its artifacts.
//!
//! One connection writes, several read; a write transaction is immediate and waits for nothing but the file. The log
//! is written ahead and synced before a commit returns, so what was acknowledged survives `kill -9` and power loss.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};

use super::schema::{self, Schema, wait_until_current};
use super::statement::Reader;
use crate::store::StoreError;

/// How long a statement waits for another process to release the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const READERS: u32 = 4;

/// A database file.
pub(super) struct Sqlite {
    writer: SqlitePool,
    /// Opened by the first import.
    importer: SqlitePool,
    readers: SqlitePool,
    file: PathBuf,
}

impl Sqlite {
    pub(super) async fn open(url: &str, schema: Schema) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(schema == Schema::Migrate)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let file = options.get_filename().to_owned();
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(BUSY_TIMEOUT)
            .connect_with(options.clone());
        let writer = writer.await.map_err(|error| explain(error, &file))?;
        match schema {
            Schema::Migrate => schema::SQLITE.run(&writer).await?,
            Schema::Await => wait_until_current(&mut Reader::Sqlite(writer.acquire().await?)).await?,
        }
        let unchecked = options.clone().create_if_missing(false).foreign_keys(false);
        let importer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(BUSY_TIMEOUT)
            .connect_lazy_with(unchecked);
        // `query_only` rather than read-only: a reader may have to recover the log of a process that was killed.
        let read = options.create_if_missing(false).pragma("query_only", "on");
        let readers = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(BUSY_TIMEOUT);
        Ok(Self { writer, importer, readers: readers.connect_with(read).await?, file })
    }

    /// The folder of files beside the database file.
    pub(super) fn artifacts_beside(&self) -> String {
        format!("{}.artifacts", self.file.display())
    }

    pub(super) async fn read(&self) -> Result<PoolConnection<sqlx::Sqlite>, sqlx::Error> {
        self.readers.acquire().await
    }

    pub(super) async fn snapshot(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, sqlx::Error> {
        self.readers.begin().await
    }

    pub(super) async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    /// A write transaction whose rows may refer to rows that are not there yet.
    pub(super) async fn begin_unchecked(
        &self,
    ) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, sqlx::Error> {
        self.importer.begin_with("BEGIN IMMEDIATE").await
    }

    /// The last connection of a file moves its log into it.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.importer.close().await;
        self.writer.close().await;
    }
}

/// SQLite says of whatever it is that it cannot open the file.
fn explain(error: sqlx::Error, file: &Path) -> StoreError {
    let missing =
        |what, path: &Path| StoreError::Unavailable(format!("there is no {what} {}", path.display()));
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => missing("folder", folder),
        _ if !file.exists() => missing("file", file),
        _ => error.into(),
    }
}

/// Copies the database at the SQLite URL `url` to the new file `to`, as it is at one moment. Whoever writes to it goes on
/// writing; its schema may be of any version.
///
/// # Errors
/// Where there is no such database, or the copy cannot be written.
pub async fn copy_sqlite(url: &str, to: &Path) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::from_str(url)?.create_if_missing(false).busy_timeout(BUSY_TIMEOUT);
    let connected = options.connect().await;
    let mut connection = connected.map_err(|error| explain(error, options.get_filename()))?;
    sqlx::query("VACUUM INTO $1").bind(to.display().to_string()).execute(&mut connection).await?;
    Ok(connection.close().await?)
}
