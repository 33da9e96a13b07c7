//! Options of connection pools.

use sqlx::pool::PoolOptions;
use sqlx::{Connection, Database};

/// Closes a released connection whose driver still assumes an open transaction. SQLite rolls back automatically when
/// the disk is full, memory runs out or an I/O error occurs; sqlx does not notice and would refuse to begin another
/// transaction on that connection.
pub(super) fn close_unfinished<DB: Database>(options: PoolOptions<DB>) -> PoolOptions<DB> {
    options.after_release(|connection, _| {
        Box::pin(async move {
            if connection.is_in_transaction() {
                // Lets the rollback of a dropped transaction finish.
                connection.ping().await?;
            }
            Ok(!connection.is_in_transaction())
        })
    })
}
