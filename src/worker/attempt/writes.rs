//! Writes under the lease, and prolonging it.

use std::pin::pin;
use std::time::Duration;

use optlab_domain::Request;
use tokio::time::{Instant, sleep, sleep_until};

use super::Attempt;
use crate::store::StoreError;

/// Between two tries of a write.
const RETRY: Duration = Duration::from_millis(200);

impl Attempt {
    /// When the lease is to be prolonged again.
    pub(super) fn heartbeat(&self) -> Instant {
        self.lease_until - self.lease * 2 / 3
    }

    /// Stores the points that are pending and how far the run is, and prolongs the lease; returns what people want.
    pub(super) async fn store_pending(&mut self, step: Option<u64>) -> Result<Option<Request>, StoreError> {
        self.step = step.unwrap_or(self.step);
        let points = std::mem::take(&mut self.pending);
        let (store, lease, lease_ms) = (self.store.clone(), self.claim.lease, self.lease.as_millis() as i64);
        let asked = Instant::now();
        let request = self.persist(|| store.record(lease, &points, step, lease_ms)).await?;
        // Counted from before the write, so that this side never believes in the lease longer than the store does.
        self.lease_until = asked + self.lease;
        Ok(request)
    }

    /// Sets or clears the warning that is shown with the job.
    pub(super) async fn remark(&self, trouble: Option<&str>) -> Result<(), StoreError> {
        let (store, lease) = (self.store.clone(), self.claim.lease);
        self.persist(|| store.remark(lease, trouble)).await
    }

    /// Does something that may take longer than a lease, and prolongs that meanwhile. A request is told again at the next
    /// write.
    pub(super) async fn with_heartbeats<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, StoreError> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = sleep_until(self.heartbeat()) => { self.store_pending(None).await?; }
            }
        }
    }

    /// Tries a write until it succeeds, the lease is lost, or has been over for as long as everybody gets once the store
    /// was away.
    pub(super) async fn persist<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        write: impl Fn() -> F,
    ) -> Result<T, StoreError> {
        let until = self.lease_until + self.lease;
        loop {
            match write().await {
                Err(error) if !matches!(error, StoreError::LeaseLost { .. }) && Instant::now() < until => {
                    tracing::warn!(%error, "the store does not take a write; trying again");
                    sleep(RETRY).await;
                }
                result => return result,
            }
        }
    }
}
