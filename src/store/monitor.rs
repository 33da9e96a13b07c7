//! How the service does, for those who watch over it: of the whole queue, and of this process.

use async_trait::async_trait;
use optlab_domain::EndReason;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

use super::{Counts, StoreError};

/// The state of the queue, whoever works on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Jobs of all experiments by state.
    pub jobs: Counts,
    /// How many attempts have ended by each reason, since there is this database.
    pub attempts_ended: Vec<(EndReason, i64)>,
}

/// What this process has done since it began.
#[derive(Debug)]
pub struct Activity {
    /// Points that it stored.
    pub points: Counter,
    /// Seconds that jobs waited which it claimed, from when they could be claimed.
    pub claim_waits: Histogram,
}

impl Default for Activity {
    fn default() -> Self {
        // From 10 ms, in which an idle slot takes a job, to 11 hours, in a long queue.
        Self { points: Counter::default(), claim_waits: Histogram::new(exponential_buckets(0.01, 4.0, 12)) }
    }
}

/// What can be asked about the service itself.
#[async_trait]
pub trait Monitor: Send + Sync {
    /// The state of the queue.
    async fn census(&self) -> Result<Census, StoreError>;

    /// What this process has done.
    fn activity(&self) -> &Activity;
}
