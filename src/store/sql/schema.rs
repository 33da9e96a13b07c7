//! The tables of a database: brought up to date by a server, waited for by everybody else.

use std::time::Duration;

use sqlx::migrate::Migrator;
use tokio::time::sleep;

use super::statement::{Connect, Connection, sql};
use crate::store::StoreError;

pub(super) static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
pub(super) static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// The table in which sqlx notes the migrations of a database.
pub(super) const TABLE: &str = "_sqlx_migrations";

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// What to do about the schema of a database that is being opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Schema {
    /// Bring it up to date.
    Migrate,
    /// Wait until somebody has.
    Await,
}

/// Returns once the schema is that of this program.
///
/// # Errors
/// [`StoreError::Migrate`] where it is that of a newer one.
pub(super) async fn wait_until_current(on: &mut impl Connect) -> Result<(), StoreError> {
    let latest = match on.connection() {
        Connection::Sqlite(_) => &SQLITE,
        Connection::Postgres(_) => &POSTGRES,
    };
    let latest = latest.iter().map(|migration| migration.version).max().unwrap_or_default();
    let mut told = false;
    loop {
        // Without the table nobody has set the database up.
        let version = sql("SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success")
            .fetch_number(on)
            .await;
        match version {
            Ok(version) if version == latest => return Ok(()),
            Ok(version) if version > latest => {
                return Err(sqlx::migrate::MigrateError::VersionMissing(version).into());
            }
            _ => {}
        }
        if !told {
            tracing::warn!(
                "waiting for a server to bring the database up to date (`optlab migrate` does it too)"
            );
            told = true;
        }
        sleep(PAUSE).await;
    }
}
