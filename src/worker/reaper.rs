//! Takes back the jobs of workers that are not heard of any more.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::store::{Lease, Store, StoreError};

/// Longest pause between rounds, so that cancelling the job of a lost worker takes effect soon even with long leases.
const MOST_SELDOM: Duration = Duration::from_secs(5);

/// Looks for leases that are over. One in each process that serves, with or without slots of its own.
pub struct Reaper {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    lease: Duration,
    /// When this process could last write; others could not have written either while it could not.
    wrote_ms: i64,
    /// Until then everybody has the time to prolong a lease.
    patient_until_ms: i64,
}

impl Reaper {
    /// A reaper that begins now.
    pub fn new(store: Arc<Store>, clock: Arc<dyn Clock>, lease: Duration) -> Self {
        let now = clock.now_ms();
        Self { store, clock, lease, wrote_ms: now, patient_until_ms: now }
    }

    /// Looks again and again until `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let pause = MOST_SELDOM.min(self.lease / 3);
        let rounds = async {
            loop {
                match self.round().await {
                    Ok(lost) => {
                        for lease in lost {
                            let Lease { job, attempt } = lease;
                            tracing::warn!(job.id = job, attempt, "took the job of a lost worker back");
                        }
                    }
                    Err(error) => tracing::warn!(%error, "cannot look for lost jobs"),
                }
                tokio::time::sleep(pause).await;
            }
        };
        shutdown.run_until_cancelled(rounds).await;
    }

    /// Takes back what is lost. After a time in which nothing could be written (the machine slept, somebody held the
    /// database) leases are over that nobody could prolong: their owners get one more lease.
    ///
    /// # Errors
    /// What the store says.
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
