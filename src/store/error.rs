//! What can go wrong with a database, as far as a caller would act on it.

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such row.
    #[error("there is no {what} {id}")]
    NotFound {
        /// `experiment` or `job`.
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
    /// Another process holds the database; trying again later helps.
    #[error("the database is busy")]
    Busy,
    /// No database of this kind is known.
    #[error("`{0}` is no database URL that is supported; give one like sqlite:optlab.db")]
    Unsupported(String),
    /// Anything else that the database said.
    #[error("database: {0}")]
    Database(sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("migrating the database: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A row that this version cannot read.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // SQLITE_BUSY and SQLITE_LOCKED; extended codes carry these in their low byte.
        let code = error.as_database_error().and_then(|e| e.code()?.parse::<i32>().ok());
        match code.map(|code| code & 0xff) {
            Some(5 | 6) => Self::Busy,
            _ if matches!(error, sqlx::Error::PoolTimedOut) => Self::Busy,
            _ => Self::Database(error),
        }
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
