//! Figures for monitoring: of the whole queue, and of this process.

use optlab_domain::{Counts, EndReason, JobState};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

use crate::store::database::sql;
use crate::store::{Store, StoreError};

/// The state of the queue, over all processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Jobs of all experiments by state.
    pub jobs: Counts,
    /// Number of ended attempts by reason, over the life of the database, those of deleted jobs included.
    pub attempts_ended: Vec<(EndReason, i64)>,
}

/// The activity of this process since its start.
#[derive(Debug)]
pub struct Activity {
    /// Number of stored points.
    pub points: Counter,
    /// Seconds that claimed jobs had waited since they could be claimed.
    pub claim_waits: Histogram,
}

impl Default for Activity {
    fn default() -> Self {
        // From 10 ms, the time of an idle slot to claim a job, to 11 hours, in a long queue.
        Self { points: Counter::default(), claim_waits: Histogram::new(exponential_buckets(0.01, 4.0, 12)) }
    }
}

impl Store {
    /// The state of the queue.
    pub async fn census(&self) -> Result<Census, StoreError> {
        let mut reader = self.read().await?;
        let states: Vec<(JobState, i64)> =
            sql("SELECT state, count(*) FROM jobs GROUP BY state").fetch_all(&mut reader).await?;
        let attempts_ended: Vec<(EndReason, i64)> =
            sql("SELECT end_reason, CAST(sum(number) AS BIGINT) FROM (
                 SELECT end_reason, count(*) AS number FROM attempts WHERE end_reason IS NOT NULL GROUP BY end_reason
                 UNION ALL
                 SELECT end_reason, number FROM deleted_attempts
             ) ended GROUP BY end_reason ORDER BY end_reason")
            .fetch_all(&mut reader)
            .await?;
        let mut census = Census { attempts_ended, ..Census::default() };
        for (state, count) in states {
            *census.jobs.get_mut(state) = count;
        }
        Ok(census)
    }

    /// The activity of this process.
    pub fn activity(&self) -> &Activity {
        &self.activity
    }
}
