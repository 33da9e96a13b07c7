//! Attempts whose machine was taken away by its engine do not count against their jobs.

use optlab_domain::{AttemptNumber, EndReason, JobId, Lease};

use super::ends::{End, uncount};
use crate::store::database::sql;
use crate::store::{Pool, Store, StoreError};

impl Store {
    /// Records that `why` took the machine of a pilot away. An attempt that it still runs ends as preempted once its lease
    /// expires; its worker may hand it back before. An attempt that has ended as lost counts no more, and a job that has
    /// failed by it is requeued. Returns these.
    pub async fn preempt(&self, pool: &Pool, engine_job: &str, why: &str) -> Result<Vec<Lease>, StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        sql("UPDATE workers SET preempted = $3 WHERE pool = $1 AND engine_job = $2")
            .bind(pool.name.as_str())
            .bind(engine_job)
            .bind(why)
            .execute(&mut tx)
            .await?;
        let lost: Vec<(JobId, AttemptNumber)> =
            sql("SELECT a.job_id, a.number FROM workers w JOIN attempts a ON a.worker_id = w.id
             WHERE w.pool = $1 AND w.engine_job = $2 AND a.end_reason = 'worker_lost' ORDER BY a.job_id")
            .bind(pool.name.as_str())
            .bind(engine_job)
            .fetch_all(&mut tx)
            .await?;
        let lost: Vec<Lease> = lost.into_iter().map(|(job, attempt)| Lease { job, attempt }).collect();
        for &lease in &lost {
            uncount(&mut tx, lease, &End::of(EndReason::Preempted, why), now).await?;
        }
        self.commit_queued(tx).await?;
        Ok(lost)
    }
}
