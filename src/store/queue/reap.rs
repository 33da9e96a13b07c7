//! Ends attempts that nobody runs any more, so that their jobs are requeued.

use optlab_domain::{AttemptNumber, EndReason, JobId, Lease};

use super::ends::{End, close};
use crate::store::database::{Statement, per_database, sql};
use crate::store::{Claim, Store, StoreError, Worker};

/// Longer than any lease, with a margin of one minute for a claim that is in progress.
const LONGEST_LEASE_MS: i64 = 1000 * (Claim::LONGEST_LEASE_SECONDS as i64 + 60);

/// The error of an attempt whose lease has expired.
const LOST: &str = "its worker was lost: it went too long without a heartbeat";

/// Selects the jobs that nobody runs. Their lease has expired, or it ends later than any lease can, because a wrong
/// clock wrote it, or their worker is gone and a cancel request is pending or the machine was taken away. $1: now; $2:
/// latest end of a lease; $3 and $4: [`Worker::last_seen_range`].
macro_rules! abandoned {
    () => {
        "state = 'running' AND (lease_until_ms NOT BETWEEN $1 AND $2 OR EXISTS (
             SELECT 1 FROM workers w
             WHERE w.id = jobs.worker_id AND (jobs.requested = 'cancel' OR w.preempted IS NOT NULL)
               AND (w.ended_ms IS NOT NULL OR w.last_seen_ms NOT BETWEEN $3 AND $4)
         ))"
    };
}

/// The abandoned jobs in the order of their ids. `$lock` keeps their rows from other writers.
macro_rules! abandoned_jobs {
    ($lock:literal) => {
        concat!(
            "SELECT id, attempt, (SELECT w.preempted FROM workers w WHERE w.id = jobs.worker_id) AS preempted
             FROM jobs WHERE ",
            abandoned!(),
            " ORDER BY id ",
            $lock
        )
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
    /// Takes back and returns the abandoned jobs. The attempts of a machine that its engine took away do not count.
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
        let lost: Vec<(JobId, AttemptNumber, Option<String>)> =
            // Jobs that are locked by another transaction are taken back later.
            per_database(abandoned_jobs!(""), abandoned_jobs!("FOR UPDATE SKIP LOCKED"))
                .abandoned_at(now)
                .fetch_all(&mut tx)
                .await?;
        let mut ended = Vec::new();
        for (job, attempt, preempted) in lost {
            let lease = Lease { job, attempt };
            let end = match preempted {
                Some(why) => End::of(EndReason::Preempted, &why),
                None => End::of(EndReason::WorkerLost, LOST),
            };
            close(&mut tx, lease, &end, now).await?;
            ended.push(lease);
        }
        self.commit_queued(tx).await?;
        Ok(ended)
    }
}
