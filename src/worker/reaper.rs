//! Ends attempts whose lease has expired, so that their jobs are requeued, and makes choices of tuned arms that are due.

use std::sync::Arc;
use std::time::Duration;

use optlab_domain::Lease;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::store::{Store, StoreError};

/// Longest pause between rounds, so that cancelling the job of a lost worker takes effect soon even with long leases.
const MOST_SELDOM: Duration = Duration::from_secs(5);

/// Finds expired leases. Every process that serves has one, with or without slots.
pub struct Reaper {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    lease: Duration,
    /// When this process could last write; while it could not, workers could not either.
    wrote_ms: i64,
    /// Until then, every worker has time to renew its lease.
    patient_until_ms: i64,
}

impl Reaper {
    /// A reaper that starts now.
    pub fn new(store: Arc<Store>, clock: Arc<dyn Clock>, lease: Duration) -> Self {
        let now = clock.now_ms();
        Self { store, clock, lease, wrote_ms: now, patient_until_ms: now }
    }

    /// Reaps periodically until `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let pause = MOST_SELDOM.min(self.lease / 3);
        let rounds = async {
            loop {
                match self.round().await {
                    Ok(lost) => {
                        for lease in lost {
                            let Lease { job, attempt } = lease;
                            tracing::warn!(job.id = %job, %attempt, "ended the attempt of a lost worker");
                        }
                    }
                    Err(error) => tracing::warn!(%error, "cannot look for expired leases"),
                }
                // Usually, the process that ended the last trial has made the choice.
                if let Err(error) = self.store.make_choices().await {
                    tracing::warn!(%error, "cannot make the choices of tuned arms");
                }
                tokio::time::sleep(pause).await;
            }
        };
        shutdown.run_until_cancelled(rounds).await;
    }

    /// Ends the attempts with expired leases. After a time in which nobody could write (the machine slept, or another
    /// process locked the database), every worker gets one more lease.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn round(&mut self) -> Result<Vec<Lease>, StoreError> {
        let (now, lease_ms) = (self.clock.now_ms(), self.lease.as_millis() as i64);
        // If the clock was set back, the time since the last write is unknown.
        if !(0..=lease_ms).contains(&(now - self.wrote_ms)) {
            self.patient_until_ms = now + lease_ms;
        }
        self.store.try_to_write().await?;
        self.wrote_ms = now;
        if now < self.patient_until_ms {
            return Ok(Vec::new());
        }
        self.store.reap().await
    }
}
