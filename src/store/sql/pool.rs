//! Connections that are used again.

use sqlx::pool::PoolOptions;
use sqlx::{Connection, Database};

/// A connection whose transaction did not end as its driver believes costs no more than itself: it is closed, and the
/// next one to ask gets a new one. SQLite for one ends a transaction by itself where it has no room, no memory or a disk
/// that fails; the driver would then refuse to begin another one.
pub(super) fn close_unfinished<DB: Database>(options: PoolOptions<DB>) -> PoolOptions<DB> {
    options.after_release(|connection, _| {
        Box::pin(async move {
            if connection.is_in_transaction() {
                // A transaction that was dropped may be on its way to its end.
                connection.ping().await?;
            }
            Ok(!connection.is_in_transaction())
        })
    })
}
