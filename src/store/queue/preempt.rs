//! Attempts whose machine was taken away by its engine do not count against their jobs.

use optlab_domain::{AttemptNumber, JobId, Lease};

use super::ends::uncount;
use crate::store::database::{Transaction, locked, sql};
use crate::store::{Store, StoreError};

impl Store {
    /// Records that `why` took the machine of a pilot away. An attempt that it still runs ends as preempted once its lease
    /// expires; its worker may hand it back before. An attempt that has ended as lost counts no more, and a job that has
    /// failed by it is requeued. Returns these.
    pub async fn preempt(&self, pool: &str, engine_job: &str, why: &str) -> Result<Vec<Lease>, StoreError> {
        let mut tx = self.begin().await?;
        let refunded = preempt_workers(&mut tx, pool, engine_job, why).await?;
        if refunded.is_empty() {
            self.commit(tx).await?;
        } else {
            self.commit_queued(tx).await?;
        }
        Ok(refunded)
    }
}

/// Marks the workers of a pilot that have not stopped in good order, and refunds their attempts that have ended as lost;
/// returns these. After a crash, Slurm may start a pilot again, or give its id to another one.
pub(super) async fn preempt_workers(
    tx: &mut Transaction,
    pool: &str,
    engine_job: &str,
    why: &str,
) -> Result<Vec<Lease>, StoreError> {
    // A reaper that ends one of their attempts now finishes first, so that the attempt is found below.
    let _running: Vec<(JobId,)> = locked!(
        "SELECT id FROM jobs WHERE state = 'running' AND worker_id IN (
             SELECT id FROM workers WHERE pool = $1 AND engine_job = $2 AND ended_ms IS NULL
         ) ORDER BY id"
    )
    .bind(pool)
    .bind(engine_job)
    .fetch_all(tx)
    .await?;
    sql("UPDATE workers SET preempted = $3 WHERE pool = $1 AND engine_job = $2 AND ended_ms IS NULL")
        .bind(pool)
        .bind(engine_job)
        .bind(why)
        .execute(tx)
        .await?;
    // A worker that has reported since was alive, so that it lost this attempt in another way.
    let lost: Vec<(JobId, AttemptNumber)> =
        sql("SELECT a.job_id, a.number FROM workers w JOIN attempts a ON a.worker_id = w.id
         WHERE w.pool = $1 AND w.engine_job = $2 AND w.ended_ms IS NULL
           AND a.end_reason = 'worker_lost' AND a.ended_ms >= w.last_seen_ms ORDER BY a.job_id")
        .bind(pool)
        .bind(engine_job)
        .fetch_all(tx)
        .await?;
    let lost: Vec<Lease> = lost.into_iter().map(|(job, attempt)| Lease { job, attempt }).collect();
    for &lease in &lost {
        uncount(tx, lease, why).await?;
    }
    Ok(lost)
}
