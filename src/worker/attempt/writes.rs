//! Writes under the lease, and its renewal.

use std::pin::pin;
use std::time::Duration;

use optlab_domain::Request;
use optlab_spec::protocol::Point;
use tokio::time::{Instant, sleep, sleep_until};

use super::state::Attempt;
use crate::store::StoreError;

/// Delay between two tries of a write.
const RETRY: Duration = Duration::from_millis(200);

impl Attempt {
    /// When the lease must be renewed next.
    pub(super) fn heartbeat(&self) -> Instant {
        self.lease_until - self.lease * 2 / 3
    }

    /// Stores points and the step, and renews the lease; returns a pending request.
    pub(super) async fn store_points(
        &mut self,
        points: &[Point],
        step: Option<u64>,
    ) -> Result<Option<Request>, StoreError> {
        self.step = step.unwrap_or(self.step);
        let (store, lease, lease_ms) = (self.store.clone(), self.claim.lease, self.lease.as_millis() as i64);
        let asked = Instant::now();
        let request = self.persist(|| store.record(lease, points, step, lease_ms)).await?;
        // Counted from before the write, so that the worker never assumes a longer lease than the store.
        self.lease_until = asked + self.lease;
        Ok(request)
    }

    /// Prolongs the lease. Returns the pending request of a person.
    pub(super) async fn prolong(&mut self) -> Result<Option<Request>, StoreError> {
        self.store_points(&[], None).await
    }

    /// Sets or clears the warning that is shown with the job.
    pub(super) async fn remark(&self, trouble: Option<&str>) -> Result<(), StoreError> {
        let (store, lease) = (self.store.clone(), self.claim.lease);
        self.persist(|| store.remark(lease, trouble)).await
    }

    /// Runs a task that may take longer than a lease, and renews the lease meanwhile. A request is returned again by
    /// the next write.
    pub(super) async fn with_heartbeats<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, StoreError> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = sleep_until(self.heartbeat()) => { self.prolong().await?; }
            }
        }
    }

    /// Retries a write while its error is transient, until the lease expired so long ago that even the extra lease after
    /// an outage of the store is over.
    pub(super) async fn persist<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        write: impl Fn() -> F,
    ) -> Result<T, StoreError> {
        let until = self.lease_until + self.lease;
        loop {
            match write().await {
                Err(error) if error.is_transient() && Instant::now() < until => {
                    tracing::warn!(%error, "a write to the store failed; retrying");
                    sleep(RETRY).await;
                }
                result => return result,
            }
        }
    }
}
