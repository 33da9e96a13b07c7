//! Figures over all jobs and attempts.

use async_trait::async_trait;
use optlab_domain::{EndReason, JobState};

use super::SqlStore;
use super::statement::sql;
use super::word::Word;
use crate::store::{Activity, Census, Monitor, StoreError};

#[async_trait]
impl Monitor for SqlStore {
    async fn census(&self) -> Result<Census, StoreError> {
        let mut reader = self.read().await?;
        let states: Vec<(Word<JobState>, i64)> =
            sql("SELECT state, count(*) FROM jobs GROUP BY state").fetch_all(&mut reader).await?;
        let ends: Vec<(Word<EndReason>, i64)> =
            sql("SELECT end_reason, count(*) FROM attempts WHERE end_reason IS NOT NULL
             GROUP BY end_reason ORDER BY end_reason")
            .fetch_all(&mut reader)
            .await?;
        let attempts_ended = ends.into_iter().map(|(reason, count)| (reason.0, count)).collect();
        let mut census = Census { attempts_ended, ..Census::default() };
        for (state, count) in states {
            *match state.0 {
                JobState::Queued => &mut census.jobs.queued,
                JobState::Running => &mut census.jobs.running,
                JobState::Paused => &mut census.jobs.paused,
                JobState::Succeeded => &mut census.jobs.succeeded,
                JobState::Failed => &mut census.jobs.failed,
                JobState::Cancelled => &mut census.jobs.cancelled,
            } = count;
        }
        Ok(census)
    }

    fn activity(&self) -> &Activity {
        &self.activity
    }
}
