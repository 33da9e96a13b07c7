//! What can go wrong with a database, as far as a caller would act on it.

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such row.
    #[error("there is no {what} {id}")]
    NotFound {
        /// `experiment`, `job`, `worker` or `token`.
        what: &'static str,
        /// The id that was asked for.
        id: i64,
    },
    /// The state of the row does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// An idempotency key was used before for another body.
    #[error("this Idempotency-Key was used before with another body")]
    KeyReused,
    /// Another attempt owns the job now, or it has ended; nothing was written.
    #[error("attempt {attempt} of job {job} has lost its lease")]
    LeaseLost {
        /// The job.
        job: i64,
        /// The attempt that tried to write.
        attempt: i64,
    },
    /// The points of an import ended too early; nothing was written.
    #[error("the points of the import broke off")]
    BrokenOff,
    /// Another process holds the database; trying again later helps.
    #[error("the database is busy")]
    Busy,
    /// Its server stops, starts, has no room or is not to be reached; trying again later helps.
    #[error("the database does not answer")]
    Away,
    /// It cannot be opened as things are; this says why and what would help.
    #[error("{0}")]
    Unavailable(String),
    /// No database of this kind is known.
    #[error(
        "`{0}` is no database URL that is supported; give one like sqlite:optlab.db or postgres://user@host/optlab"
    )]
    Unsupported(String),
    /// Anything else that the database said.
    #[error("database: {}", said(.0))]
    Database(sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("migrating the database: {0}")]
    Migrate(sqlx::migrate::MigrateError),
    /// The schema is of a version, which this is, that this program does not know.
    #[error("the database was written by a newer optlab; update this one (the schema is of version {0})")]
    Newer(i64),
    /// A row that this version cannot read.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match passing(&error) {
            Some(passing) => passing,
            None => Self::Database(error),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            // The database has been through a migration that is not among ours.
            sqlx::migrate::MigrateError::VersionMissing(version) => Self::Newer(version),
            error => Self::Migrate(error),
        }
    }
}

/// What the database says, without where in its own sources it says so.
pub(super) fn said(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

/// `Some` where the same statement may succeed a little later.
fn passing(error: &sqlx::Error) -> Option<StoreError> {
    let sqlx::Error::Database(error) = error else {
        return matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::Io(_)).then_some(StoreError::Away);
    };
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // SQLITE_BUSY and SQLITE_LOCKED; extended codes carry these in their low byte.
        let is_busy = code.parse::<i32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6));
        return is_busy.then_some(StoreError::Busy);
    }
    match code.get(..2)? {
        // A serialisation failure or a deadlock.
        "40" => Some(StoreError::Busy),
        "08" | "53" => Some(StoreError::Away),
        "57" if code.starts_with("57P") => Some(StoreError::Away),
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
