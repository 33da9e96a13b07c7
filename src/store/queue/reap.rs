//! Ends attempts that nobody runs any more, so that their jobs are requeued.

use optlab_domain::{AttemptNumber, EndReason, JobId, Lease};

use super::ends::{End, close};
use crate::store::database::{Statement, per_database, sql};
use crate::store::{Claim, Store, StoreError, Worker};

/// Longer than any lease, with a margin of one minute for a claim that is in progress.
const LONGEST_LEASE_MS: i64 = 1000 * (Claim::LONGEST_LEASE_SECONDS as i64 + 60);

/// Selects the jobs that nobody runs. Their lease has expired, or it ends later than any lease can, because a wrong
/// clock wrote it, or a cancel request is pending and their worker is gone. $1: now; $2: latest end of a lease; $3 and
/// $4: [`Worker::last_seen_range`].
macro_rules! abandoned {
    () => {
        "state = 'running' AND (lease_until_ms NOT BETWEEN $1 AND $2 OR requested = 'cancel' AND EXISTS (
             SELECT 1 FROM workers w
             WHERE w.id = jobs.worker_id
               AND (w.ended_ms IS NOT NULL OR w.last_seen_ms NOT BETWEEN $3 AND $4)
         ))"
    };
}

/// The abandoned jobs in the order of their ids. `$lock` keeps their rows from other writers.
macro_rules! abandoned_jobs {
    ($lock:literal) => {
        concat!("SELECT id, attempt FROM jobs WHERE ", abandoned!(), " ORDER BY id ", $lock)
    };
}

impl Statement {
    /// Binds the parameters of [`abandoned`].
    fn abandoned_at(self, now: i64) -> Self {
        let (earliest, latest) = Worker::last_seen_range(now);
        self.bind(now).bind(now + LONGEST_LEASE_MS).bind(earliest).bind(latest)
    }
}

impl Store {
    /// Takes back and returns the abandoned jobs: those whose lease has expired, and those with a pending cancel
    /// request whose worker is gone.
    pub async fn reap(&self) -> Result<Vec<Lease>, StoreError> {
        let mut reader = self.read().await?;
        let now = self.now(&mut reader).await?;
        let over: Option<(JobId,)> = sql(concat!("SELECT id FROM jobs WHERE ", abandoned!(), " LIMIT 1"))
            .abandoned_at(now)
            .fetch_optional(&mut reader)
            .await?;
        drop(reader);
        if over.is_none() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        let lost: Vec<(JobId, AttemptNumber)> =
            // Jobs that are locked by another transaction are taken back later.
            per_database(abandoned_jobs!(""), abandoned_jobs!("FOR UPDATE SKIP LOCKED"))
                .abandoned_at(now)
                .fetch_all(&mut tx)
                .await?;
        let lost: Vec<Lease> = lost.into_iter().map(|(job, attempt)| Lease { job, attempt }).collect();
        for &lease in &lost {
            let end =
                End::of(EndReason::WorkerLost, "its worker was lost: it went too long without a heartbeat");
            close(&mut tx, lease, &end, now).await?;
        }
        self.commit_queued(tx).await?;
        Ok(lost)
    }
}
