//! The schema of a database: migrated by servers, awaited by other processes.

use std::sync::LazyLock;
use std::time::Duration;

use sqlx::SqlStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use tokio::time::sleep;

use super::statement::{Connect, Connection, Reader, sql};
use crate::store::StoreError;

pub(super) static SQLITE: LazyLock<Migrator> =
    LazyLock::new(|| migrator(include_str!("../../../migrations/sqlite/0001_schema.sql")));
pub(super) static POSTGRES: LazyLock<Migrator> =
    LazyLock::new(|| migrator(include_str!("../../../migrations/postgres/0001_schema.sql")));

/// The migrations of a database, which are one file. sqlx's macro for this would compile sqlx, both drivers and SQLite
/// a second time.
fn migrator(schema: &'static str) -> Migrator {
    let schema = SqlStr::from_static(schema);
    Migrator::with_migrations(vec![Migration::new(1, "schema".into(), MigrationType::Simple, schema, false)])
}

/// The table in which sqlx notes the migrations of a database.
pub(super) const TABLE: &str = "_sqlx_migrations";

/// Interval between checks.
const PAUSE: Duration = Duration::from_secs(1);

/// What to do about the schema of a database that is being opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Schema {
    /// Migrate it.
    Migrate,
    /// Wait until another process has migrated.
    Await,
}

/// Whether the schema is that of this program.
///
/// # Errors
/// [`StoreError::Migrate`] if it belongs to a newer program.
pub(super) async fn is_current(on: &mut impl Connect) -> Result<bool, StoreError> {
    let latest = match on.connection() {
        Connection::Sqlite(_) => &*SQLITE,
        Connection::Postgres(_) => &*POSTGRES,
    };
    let latest = latest.iter().map(|migration| migration.version).max().unwrap_or_default();
    let version =
        sql("SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success").fetch_number(on).await;
    match version {
        Ok(version) if version > latest => Err(MigrateError::VersionMissing(version).into()),
        Ok(version) => Ok(version == latest),
        Err(StoreError::Database(error)) if is_without_table(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the error means that the table is missing, so that the database has not been set up.
fn is_without_table(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error() else { return false };
    // undefined_table; SQLite has no specific code for it.
    error.code().as_deref() == Some("42P01") || error.message().starts_with("no such table")
}

/// Returns once the schema is that of this program. Each check opens a new connection, because the database may restart
/// meanwhile.
///
/// # Errors
/// Those of [`is_current`], and permanent ones of `connect`.
pub(super) async fn wait_until_current<C>(connect: impl Fn() -> C) -> Result<(), StoreError>
where
    C: Future<Output = Result<Reader, sqlx::Error>>,
{
    let mut reported = String::new();
    loop {
        let looked = async { is_current(&mut connect().await?).await };
        let why = match looked.await {
            Ok(true) => return Ok(()),
            Ok(false) => {
                "waiting for a server to bring the database up to date (`optlab migrate` does it too)"
                    .to_owned()
            }
            Err(error) if error.is_transient() => error.to_string(),
            Err(error) => return Err(error),
        };
        if reported != why {
            tracing::warn!("{why}");
            reported = why;
        }
        sleep(PAUSE).await;
    }
}
