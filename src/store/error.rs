//! Errors of the store, as far as callers distinguish them.

use std::io;

use optlab_domain::{ExperimentId, JobId, Lease, TokenId, WorkerId};
use sqlx::migrate::MigrateError;

/// The reason why a call of the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such row.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// The state of the row does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// An idempotency key was used before for another body.
    #[error("this Idempotency-Key was used before with another body")]
    KeyReused,
    /// Another attempt owns the job now, or it has ended; nothing was written.
    #[error("attempt {} of job {} has lost its lease", .0.attempt, .0.job)]
    LeaseLost(Lease),
    /// The points of an import ended too early; nothing was written.
    #[error("the import ended before all announced points arrived")]
    BrokenOff,
    /// Another process has locked the database. A later retry may succeed.
    #[error("the database is busy")]
    Busy,
    /// The database server is stopping, starting, full or unreachable. A later retry may succeed.
    #[error("the database does not answer")]
    Away,
    /// The disk of the database is full. Writes succeed again once there is space.
    #[error(
        "the disk of the database is full: nothing was stored. Free space there, and try again; no restart is needed"
    )]
    Full,
    /// The database cannot read or write its disk, or lacks memory. A later retry may succeed.
    #[error(
        "the database cannot use its disk or memory ({0}): nothing was stored. If it lasts, look at the disk of the \
         database, its permissions and limits; nothing needs a restart"
    )]
    Failing(String),
    /// The database file or its log is no longer at its path.
    #[error(
        "a file of the database was removed or replaced while it was open: nothing is stored any more. Put the file \
         back, or restart the server; what it can still read can be exported before that"
    )]
    Moved,
    /// It cannot be opened, with the reason and the remedy.
    #[error("{0}")]
    Unavailable(String),
    /// A database of this kind is not supported.
    #[error(
        "`{0}` is not a supported database URL; use one like sqlite:optlab.db or postgres://user@host/optlab"
    )]
    Unsupported(String),
    /// Any other error of the database.
    #[error("database: {}", said(.0))]
    Database(sqlx::Error),
    /// The process that answers a query of a user cannot be started or has ended early.
    #[error("the process of a query: {0}")]
    QueryProcess(#[source] io::Error),
    /// The schema could not be migrated.
    #[error("migrating the database: {}", why(.0))]
    Migrate(MigrateError),
    /// The schema has this version, which this program does not know.
    #[error("the database was written by a newer optlab; update this one (the schema is of version {0})")]
    Newer(i64),
    /// A statement that must write one row wrote another number of rows.
    #[error("a statement wrote {rows} rows where one was expected: {statement}")]
    NotOneRow {
        /// The rows that it wrote.
        rows: u64,
        /// The text of the statement.
        statement: String,
    },
    /// A row that this version cannot read.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// Whether the same call may succeed a little later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy | Self::Away | Self::Full | Self::Failing(_) | Self::Moved)
    }
}

/// The id that no row has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// Of an experiment.
    #[error("there is no experiment {0}")]
    Experiment(ExperimentId),
    /// Of a job.
    #[error("there is no job {0}")]
    Job(JobId),
    /// Of a worker.
    #[error("there is no worker {0}")]
    Worker(WorkerId),
    /// Of a token.
    #[error("there is no token {0}")]
    Token(TokenId),
    /// Of a pool.
    #[error("there is no pool `{0}`")]
    Pool(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match (transient(&error), error) {
            (Some(transient), _) => transient,
            (None, sqlx::Error::ColumnDecode { index, source }) => {
                Self::Corrupt(format!("{index}: {source}"))
            }
            (None, error) => Self::Database(error),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            // The database has a migration that is not among ours.
            MigrateError::VersionMissing(version) => Self::Newer(version),
            error => Self::Migrate(error),
        }
    }
}

/// The message of the database, without the place in its source code.
pub(super) fn said(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

/// The reason why a migration failed, with the remedy if its role may not create tables.
fn why(error: &MigrateError) -> String {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return error.to_string();
    };
    let is_forbidden = error.as_database_error().and_then(|error| error.code()).as_deref() == Some("42501");
    let cure =
        if is_forbidden { "; GRANT CREATE ON SCHEMA to the role, or migrate as its owner" } else { "" };
    format!("{}{cure}", said(error))
}

/// `Some` if the same statement may succeed a little later.
fn transient(error: &sqlx::Error) -> Option<StoreError> {
    let sqlx::Error::Database(database) = error else {
        return matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::Io(_)).then_some(StoreError::Away);
    };
    let code = database.code().unwrap_or_default();
    if database.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // Extended codes contain the primary code in their low byte.
        return match code.parse::<i32>().ok()? & 0xff {
            // SQLITE_BUSY and SQLITE_LOCKED.
            5 | 6 => Some(StoreError::Busy),
            // SQLITE_FULL.
            13 => Some(StoreError::Full),
            // SQLITE_NOMEM, SQLITE_READONLY, SQLITE_IOERR and SQLITE_CANTOPEN.
            7 | 8 | 10 | 14 => Some(StoreError::Failing(said(error))),
            _ => None,
        };
    }
    match (code.get(..2)?, code.as_ref()) {
        // A serialisation failure or a deadlock; lock_not_available; query_canceled, by a statement_timeout.
        ("40", _) | (_, "55P03" | "57014") => Some(StoreError::Busy),
        // disk_full.
        (_, "53100") => Some(StoreError::Full),
        // out_of_memory, read_only_sql_transaction, and errors of the operating system.
        (_, "53200" | "25006") | ("58", _) => Some(StoreError::Failing(said(error))),
        // idle_in_transaction_session_timeout.
        ("08" | "53", _) | (_, "25P03") => Some(StoreError::Away),
        ("57", _) if code.starts_with("57P") => Some(StoreError::Away),
        _ => None,
    }
}

impl From<optlab_spec::Problems> for StoreError {
    fn from(problems: optlab_spec::Problems) -> Self {
        Self::Corrupt(format!("a spec of another version: {problems}"))
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}
