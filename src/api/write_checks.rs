//! Checks whether the database can be written, for `/readyz`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::store::{Store, StoreError};

/// Minimum interval between write checks, for all requests together.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// How long other writes may keep the check waiting before the database counts as failing.
const LONGEST_WRITE: Duration = Duration::from_secs(300);

/// The write checks of `/readyz`.
pub(super) struct WriteChecks(Mutex<Checked>);

struct Checked {
    /// Time and outcome of the last check. The outcome counts for [`TRY_EVERY`].
    last: Option<(Instant, Result<(), Arc<StoreError>>)>,
    /// When a write last succeeded; at first, the start of the server.
    succeeded: Instant,
}

impl Default for WriteChecks {
    fn default() -> Self {
        Self(Mutex::new(Checked { last: None, succeeded: Instant::now() }))
    }
}

impl WriteChecks {
    /// Checks again if the last check is too old. Concurrent requests wait for a check in progress. A long write, such
    /// as the end of an import into SQLite, keeps others waiting although nothing is wrong.
    pub(super) async fn renew(&self, store: &Store) -> Result<(), Arc<StoreError>> {
        let mut checked = self.0.lock().await;
        if let Some((last, outcome)) = &checked.last
            && last.elapsed() < TRY_EVERY
        {
            return outcome.clone();
        }
        let outcome = match store.try_to_write().await {
            Ok(()) => {
                checked.succeeded = Instant::now();
                Ok(())
            }
            Err(StoreError::Busy) if checked.succeeded.elapsed() < LONGEST_WRITE => Ok(()),
            Err(error) => Err(Arc::new(error)),
        };
        checked.last = Some((Instant::now(), outcome.clone()));
        outcome
    }
}
