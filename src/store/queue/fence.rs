//! The fence: only the running attempt of a job can write.

use optlab_domain::{AttemptNumber, JobState, Lease, lifecycle};

use crate::store::database::{Transaction, locked};
use crate::store::{Store, StoreError};

impl Store {
    /// A transaction of the running attempt of a job, which is locked until the transaction ends.
    pub(in crate::store) async fn begin_under(&self, lease: Lease) -> Result<Transaction, StoreError> {
        let mut tx = self.begin().await?;
        if let Err(error) = check(&mut tx, lease).await {
            // A dropped transaction ends later, and claims skip locked jobs.
            tx.rollback().await?;
            return Err(error);
        }
        Ok(tx)
    }
}

/// [`lifecycle::may_write`] as the condition of a statement. $1: job; $2: attempt.
macro_rules! may_write {
    () => {
        "id = $1 AND attempt = $2 AND state = 'running'"
    };
}
pub(super) use may_write;

/// The fence: only the running attempt of the job can write. Locks the job until the transaction ends.
pub(super) async fn check(tx: &mut Transaction, lease: Lease) -> Result<(), StoreError> {
    let job: Option<(JobState, AttemptNumber)> =
        locked!("SELECT state, attempt FROM jobs WHERE id = $1").bind(lease.job).fetch_optional(tx).await?;
    let holds = job.is_some_and(|(state, last)| lifecycle::may_write(lease, state, last));
    holds.then_some(()).ok_or(StoreError::LeaseLost(lease))
}
