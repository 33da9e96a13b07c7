//! Attempts whose machine was taken away by its engine do not count against their jobs.

use optlab_domain::{AttemptNumber, EndReason, JobId, Lease, WorkerId};

use super::ends::{End, uncount};
use crate::store::database::{Transaction, sql};
use crate::store::{Store, StoreError};

impl Store {
    /// Records that `why` took the machine of a pilot away. An attempt that it still runs ends as preempted once its lease
    /// expires; its worker may hand it back before. An attempt that has ended as lost counts no more, and a job that has
    /// failed by it is requeued. Returns these.
    pub async fn preempt(&self, pool: &str, engine_job: &str, why: &str) -> Result<Vec<Lease>, StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let mut refunded = Vec::new();
        for worker in unfinished_workers(&mut tx, pool, engine_job).await? {
            refunded.extend(preempt_worker(&mut tx, worker, why, now).await?);
        }
        self.commit_queued(tx).await?;
        Ok(refunded)
    }
}

/// The workers of a pilot that have not stopped in good order. After a crash, Slurm may start a pilot again, or give its id
/// to another one.
pub(super) async fn unfinished_workers(
    tx: &mut Transaction,
    pool: &str,
    engine_job: &str,
) -> Result<Vec<WorkerId>, StoreError> {
    let workers: Vec<(WorkerId,)> =
        sql("SELECT id FROM workers WHERE pool = $1 AND engine_job = $2 AND ended_ms IS NULL")
            .bind(pool)
            .bind(engine_job)
            .fetch_all(tx)
            .await?;
    Ok(workers.into_iter().map(|(worker,)| worker).collect())
}

/// Marks the worker, and refunds its attempts that have ended as lost; returns these.
pub(super) async fn preempt_worker(
    tx: &mut Transaction,
    worker: WorkerId,
    why: &str,
    now: i64,
) -> Result<Vec<Lease>, StoreError> {
    sql("UPDATE workers SET preempted = $2 WHERE id = $1").bind(worker).bind(why).execute_one(tx).await?;
    let lost: Vec<(JobId, AttemptNumber)> = sql(
        "SELECT job_id, number FROM attempts WHERE worker_id = $1 AND end_reason = 'worker_lost' ORDER BY job_id",
    )
    .bind(worker)
    .fetch_all(tx)
    .await?;
    let lost: Vec<Lease> = lost.into_iter().map(|(job, attempt)| Lease { job, attempt }).collect();
    for &lease in &lost {
        uncount(tx, lease, &End::of(EndReason::Preempted, why), now).await?;
    }
    Ok(lost)
}
