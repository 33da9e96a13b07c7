//! Numbers of writes to jobs, by which readers find what has changed.

use crate::store::StoreError;
use crate::store::database::{Connect, Transaction, per_database, sql};

/// SQL for the number that `jobs.version` gets from the transaction that runs it.
///
/// SQLite's writers take turns, so numbers commit in order. Those of Postgres are the transaction's own, which commit
/// in any order; [`settled_version`] returns the highest number up to which all writes are visible. Deletions count, so
/// that no number is used again after the job with the highest one was deleted.
macro_rules! new_version {
    (sqlite) => {
        "(1 + max(
              coalesce((SELECT max(version) FROM jobs), 0), coalesce((SELECT max(version) FROM deleted_jobs), 0)
          ))"
    };
    (postgres) => {
        "pg_current_xact_id()::TEXT::BIGINT"
    };
}
pub(super) use new_version;

/// The number of [`new_version`] for the writes of this transaction.
pub(super) async fn next_version(tx: &mut Transaction) -> Result<i64, StoreError> {
    per_database(concat!("SELECT ", new_version!(sqlite)), concat!("SELECT ", new_version!(postgres)))
        .fetch_number(tx)
        .await
}

/// On Postgres, sets versions to 0 that this cluster has not assigned. They are those of another cluster, from which the database was
/// restored, and would count as newer than every write until the numbers of this one have passed them.
pub(super) async fn forget_foreign_versions(on: &mut impl Connect) -> Result<(), StoreError> {
    // The number is assigned after the snapshot of the statement, so its own versions are all below.
    sql("UPDATE jobs SET version = 0 WHERE version > (SELECT pg_current_xact_id()::TEXT::BIGINT)")
        .execute(on)
        .await?;
    Ok(())
}

/// The version up to which every write is visible on this connection, and none will be added.
pub(super) async fn settled_version(on: &mut impl Connect) -> Result<i64, StoreError> {
    per_database(
        concat!("SELECT ", new_version!(sqlite), " - 1"),
        "SELECT pg_snapshot_xmin(pg_current_snapshot())::TEXT::BIGINT - 1",
    )
    .fetch_number(on)
    .await
}
