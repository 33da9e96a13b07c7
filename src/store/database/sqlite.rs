//! SQLite: one file beside its artifacts.
//!
//! One connection writes, several read; a write transaction is immediate and waits for nothing but the file. The log
//! is written ahead and synced before a commit returns, so what was acknowledged survives `kill -9` and power loss.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryFutureExt;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use url::form_urlencoded;

use super::files::Files;
use super::pool::close_unfinished;
use super::schema::{self, Schema, wait_until_current};
use super::statement::Reader;
use crate::store::StoreError;
use crate::store::error::said;

/// Time limit for another process to release the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const READERS: u32 = 4;

/// A database file.
pub(in crate::store) struct Sqlite {
    writer: SqlitePool,
    /// The connection for imports, which the first import opens.
    importer: SqlitePool,
    readers: SqlitePool,
    /// An unused connection. While it is open, SQLite neither deletes the log nor creates a new one, even if all other
    /// connections are closed.
    keeper: SqlitePool,
    files: Arc<Files>,
}

impl Sqlite {
    pub(in crate::store) async fn open(url: &str, schema: Schema) -> Result<Self, StoreError> {
        let options = options(url)?
            .create_if_missing(schema == Schema::Migrate)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let file = options.get_filename().to_owned();
        refuse_foreign(url, &file).await?;
        let keeper = pool(1).connect_with(options.clone()).await;
        let keeper = keeper.map_err(|error| explain(error, &file, schema == Schema::Migrate))?;
        // SQLite opens the log at the first statement that reads.
        sqlx::query("SELECT count(*) FROM sqlite_schema").execute(&keeper).await?;
        let files = Arc::new(Files::opened(&file));
        let options = options.create_if_missing(false);
        let writer = of_same_file(pool(1), &files).connect_with(options.clone()).await?;
        match schema {
            Schema::Migrate => schema::SQLITE.run(&writer).await?,
            Schema::Await => wait_until_current(|| writer.acquire().map_ok(Reader::Sqlite)).await?,
        }
        let unchecked = options.clone().foreign_keys(false);
        let importer = of_same_file(pool(1), &files).connect_lazy_with(unchecked);
        // `query_only` rather than read-only: a reader may have to recover the log of a process that was killed.
        let options = options.pragma("query_only", "on");
        let readers = of_same_file(pool(READERS), &files).connect_with(options).await?;
        Ok(Self { writer, importer, readers, keeper, files })
    }

    pub(in crate::store) fn file(&self) -> &Path {
        self.files.database()
    }

    pub(in crate::store) async fn read(&self) -> Result<PoolConnection<sqlx::Sqlite>, StoreError> {
        self.readers.acquire().await.map_err(|error| self.why(error))
    }

    pub(in crate::store) async fn snapshot(
        &self,
    ) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, StoreError> {
        self.readers.begin().await.map_err(|error| self.why(error))
    }

    pub(in crate::store) async fn begin(
        &self,
    ) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(|error| self.why(error))
    }

    /// Succeeds if the latest commit is in the files that the next process will open.
    pub(in crate::store) fn check_files(&self) -> Result<(), StoreError> {
        self.files.check()
    }

    /// The reason why no connection is available.
    fn why(&self, error: sqlx::Error) -> StoreError {
        self.files.check().err().unwrap_or_else(|| match error {
            // Other tasks of this process use all connections.
            sqlx::Error::PoolTimedOut => StoreError::Busy,
            error => error.into(),
        })
    }

    /// A write transaction without foreign key checks, for rows whose job does not exist yet.
    pub(in crate::store) async fn begin_unchecked(
        &self,
    ) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, StoreError> {
        self.files.check()?;
        self.importer.begin_with("BEGIN IMMEDIATE").await.map_err(|error| self.why(error))
    }

    /// Locks the database for a running import; several may run at the same time.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while a process removes leftovers of dead imports.
    pub(in crate::store) fn lock_for_import(&self) -> Result<File, StoreError> {
        let lock = self.files.import_lock()?;
        match lock.try_lock_shared() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy),
            Err(TryLockError::Error(error)) => Err(StoreError::Failing(error.to_string())),
        }
    }

    /// Locks the database for the removal of leftovers of dead imports; `None` while an import runs in any process.
    pub(in crate::store) fn lock_against_imports(&self) -> Result<Option<File>, StoreError> {
        let lock = self.files.import_lock()?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(StoreError::Failing(error.to_string())),
        }
    }

    /// The last connection of a file moves its log into it.
    pub(in crate::store) async fn close(&self) {
        self.readers.close().await;
        self.importer.close().await;
        self.writer.close().await;
        self.keeper.close().await;
    }
}

/// Options from the URL of a database file.
///
/// # Errors
/// [`StoreError::Unavailable`] for a URL for which SQLite would use memory, or a file that it deletes.
pub(in crate::store) fn options(url: &str) -> Result<SqliteConnectOptions, StoreError> {
    let options = SqliteConnectOptions::from_str(url)?;
    let file = options.get_filename().as_os_str().as_encoded_bytes();
    // `file:` starts a URL in SQLite's own syntax, and sqlx's name for `:memory:`.
    let is_file = !file.is_empty() && file != b":memory:" && !file.starts_with(b"file:");
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let mut parameters = form_urlencoded::parse(parameters.as_bytes());
    let in_memory = [("mode", "memory"), ("vfs", "memdb")];
    if is_file && !parameters.any(|(name, value)| in_memory.contains(&(&*name, &*value))) {
        return Ok(options);
    }
    Err(StoreError::Unavailable(format!(
        "`{url}` names no file, so every job would be lost when the program ends. Name a database file, such as \
         sqlite:optlab.db"
    )))
}

/// A pool that keeps its connections open as long as they work. They are tested only when they are released.
fn pool(connections: u32) -> SqlitePoolOptions {
    close_unfinished(SqlitePoolOptions::new())
        .max_connections(connections)
        .test_before_acquire(false)
        .acquire_timeout(BUSY_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// Makes the pool reject connections to any other file than the one that was opened first.
fn of_same_file(pool: SqlitePoolOptions, files: &Arc<Files>) -> SqlitePoolOptions {
    let files = files.clone();
    pool.after_connect(move |_, _| {
        let same = files.check().map_err(|error| sqlx::Error::Io(io::Error::other(error)));
        Box::pin(async { same })
    })
}

/// Rejects a file with tables of another program before anything is written to it, even the journal mode. The following
/// opening reports a file that cannot be read.
async fn refuse_foreign(url: &str, file: &Path) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::from_str(url)?.create_if_missing(false).busy_timeout(BUSY_TIMEOUT);
    let Ok(mut connection) = options.connect().await else { return Ok(()) };
    let tables = sqlx::query_scalar::<_, String>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    );
    let tables = tables.fetch_all(&mut connection).await.unwrap_or_default();
    let is_migrated = tables.iter().any(|table| table == schema::TABLE);
    let is_foreign = match is_migrated {
        true => !is_of_optlab(&mut connection, tables.len()).await,
        false => !tables.is_empty(),
    };
    connection.close().await?;
    if !is_foreign {
        return Ok(());
    }
    const SHOWN: usize = 5;
    let more = if tables.len() > SHOWN { ", ..." } else { "" };
    Err(StoreError::Unavailable(format!(
        "{} is a database of another program: it has the tables {}{more} and none of optlab. Give optlab a file of \
         its own",
        file.display(),
        tables[..tables.len().min(SHOWN)].join(", ")
    )))
}

/// The code of an error in a statement.
const SQLITE_ERROR: &str = "1";

/// Whether the migrations are ours; those of other programs have a table of the same name. One without rows is ours if
/// the file has nothing else.
async fn is_of_optlab(connection: &mut SqliteConnection, tables: usize) -> bool {
    let Some(first) = schema::SQLITE.iter().next() else { return false };
    let found: Result<(i64, i64), sqlx::Error> = sqlx::query_as(
        "SELECT count(*), count(CASE WHEN version = $1 AND checksum = $2 THEN 1 END) FROM _sqlx_migrations",
    )
    .bind(first.version)
    .bind(first.checksum.to_vec())
    .fetch_one(connection)
    .await;
    match found {
        Ok((0, _)) => tables == 1,
        Ok((_, ours)) => ours > 0,
        // The table of another program has other columns. The following opening reports any other error.
        Err(error) => {
            error.as_database_error().is_none_or(|error| error.code().as_deref() != Some(SQLITE_ERROR))
        }
    }
}

/// Explains why a file cannot be opened. SQLite does not distinguish a missing folder from a missing file.
fn explain(error: sqlx::Error, file: &Path, may_create: bool) -> StoreError {
    let missing =
        |what, path: &Path| StoreError::Unavailable(format!("there is no {what} {}", path.display()));
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => missing("folder", folder),
        _ if file.exists() => error.into(),
        _ if may_create => StoreError::Unavailable(format!(
            "cannot create {} ({}): check the permissions of its folder and the free space of its disk",
            file.display(),
            said(&error)
        )),
        _ => missing("file", file),
    }
}

/// The reason why a database was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database cannot be opened or read.
    #[error(transparent)]
    Source(#[from] StoreError),
    /// The copy cannot be written, with the reason.
    #[error("{0}")]
    Target(String),
}

/// Copies a snapshot of the database at the SQLite URL `url` to the new file `to`. Other processes can write meanwhile,
/// and the schema may have any version. A failed copy may leave a part of the file and its journal.
///
/// # Errors
/// If there is no such database, or the copy cannot be written.
pub async fn copy_sqlite(url: &str, to: &Path) -> Result<(), CopyError> {
    let options = options(url)?.create_if_missing(false).busy_timeout(BUSY_TIMEOUT);
    refuse_foreign(url, options.get_filename()).await?;
    let connected = options.connect().await;
    let mut connection = connected.map_err(|error| explain(error, options.get_filename(), false))?;
    let copied = sqlx::query("VACUUM INTO $1").bind(to.display().to_string()).execute(&mut connection).await;
    // Only closing the connection ensures that nothing more is written to the copy.
    let closed = connection.close().await;
    copied.map_err(of_copy)?;
    Ok(closed.map_err(StoreError::from)?)
}

/// The only file that grows is the copy. SQLITE_FULL is a full disk, and SQLITE_IOERR_WRITE any other failure to write.
fn of_copy(error: sqlx::Error) -> CopyError {
    const SQLITE_FULL: &str = "13";
    const SQLITE_IOERR_WRITE: &str = "778";
    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
    match code.as_str() {
        SQLITE_FULL => CopyError::Target("its disk is full".to_owned()),
        SQLITE_IOERR_WRITE => CopyError::Target(format!("its disk fails ({})", said(&error))),
        _ => CopyError::Source(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn write(sqlite: &Sqlite, bytes: i64) -> Result<(), StoreError> {
        let mut tx = sqlite.begin().await?;
        sqlx::query("INSERT INTO settings (name, value) VALUES ('test', zeroblob($1))")
            .bind(bytes)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    #[tokio::test]
    async fn a_full_database_accepts_writes_again_once_there_is_space() {
        let folder = tempfile::TempDir::new().unwrap();
        let url = format!("sqlite:{}/optlab.db", folder.path().display());
        let sqlite = Sqlite::open(&url, Schema::Migrate).await.unwrap();
        // The limit is below the present size, so the file cannot grow. It applies only to this connection, which the
        // pool closes after the failure.
        let mut writer = sqlite.writer.acquire().await.unwrap();
        sqlx::query("PRAGMA max_page_count = 1").execute(&mut *writer).await.unwrap();
        drop(writer);
        let full = write(&sqlite, 1_000_000).await;
        assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
        write(&sqlite, 1_000_000).await.unwrap();
    }
}
