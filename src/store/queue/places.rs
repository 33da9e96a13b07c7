//! The places where a job has failed or could run. A place is a device of a worker. Places differ in driver, disk and
//! network, so a job that fails at one may succeed at another.

use optlab_domain::{JobId, Lease, WorkerId};

use crate::store::database::{Statement, Transaction, per_database, sql};
use crate::store::{Slot, StoreError, Worker};

/// Whether a row of `jobs` has failed at a place, perhaps by the fault of that place. `$worker` and `$device` are SQL.
macro_rules! failed_at {
    ($worker:literal, $device:literal) => {
        concat!(
            "EXISTS (
                 SELECT 1 FROM attempts a
                 WHERE a.job_id = jobs.id AND a.worker_id = ",
            $worker,
            " AND a.device = ",
            $device,
            " AND a.end_reason IN ('out_of_memory', 'runner_crashed', 'machine_fault')
             )"
        )
    };
}
pub(super) use failed_at;

/// The devices that each worker offers, as rows of `device`, `slots` and `resting`.
macro_rules! offered {
    (sqlite) => {
        "(SELECT w.*, d.value ->> 'device' AS device, d.value ->> 'slots' AS slots,
                 coalesce(d.value ->> 'resting', 0) AS resting
          FROM workers w, json_each(w.devices) d)"
    };
    (postgres) => {
        "(SELECT w.*, d ->> 'device' AS device, CAST(d ->> 'slots' AS BIGINT) AS slots,
                 CAST(coalesce(d ->> 'resting', '0') AS BIGINT) AS resting
          FROM workers w, jsonb_array_elements(CAST(w.devices AS JSONB)) d)"
    };
}
pub(super) use offered;

/// Whether a row of `jobs` should be tried elsewhere: it has failed at this place, and another place that claims jobs
/// has not failed it. $1: worker; $2: device; $3: kind of the device; $4 and $5: [`Worker::last_seen_range`].
macro_rules! better_elsewhere {
    ($database:ident) => {
        concat!(
            failed_at!("$1", "$2"),
            " AND EXISTS (
                 SELECT 1 FROM ",
            offered!($database),
            " other
                 WHERE other.ended_ms IS NULL AND other.draining = 0 AND other.last_seen_ms BETWEEN $4 AND $5
                   AND other.resting < other.slots AND (other.id <> $1 OR other.device <> $2)
                   AND (jobs.device_wanted = 'any' OR other.device = $3 OR other.device LIKE $3 || ':%')
                   AND NOT ",
            failed_at!("other.id", "other.device"),
            ")"
        )
    };
}
pub(super) use better_elsewhere;

impl Statement {
    /// Binds the parameters $1 to $5 of [`better_elsewhere`].
    pub(super) fn at_place(self, slot: &Slot, now: i64) -> Self {
        let (earliest, latest) = Worker::last_seen_range(now);
        self.bind(slot.worker).bind(slot.device).bind(slot.device.kind()).bind(earliest).bind(latest)
    }
}

/// Whether a failure of this attempt is no new evidence against its job, because the job has failed at this place before
/// and not yet at every other. Such a failure does not count.
pub(super) async fn is_no_new_evidence(
    tx: &mut Transaction,
    lease: Lease,
    now: i64,
) -> Result<bool, StoreError> {
    let (worker, device): (WorkerId, String) =
        sql("SELECT worker_id, device FROM attempts WHERE job_id = $1 AND number = $2")
            .bind(lease.job)
            .bind(lease.attempt)
            .fetch_one(tx)
            .await?;
    // No other place is known to be like a device of another version, so that the failure counts.
    let Ok(device) = device.parse() else { return Ok(false) };
    macro_rules! select {
        ($database:ident) => {
            concat!("SELECT id FROM jobs WHERE id = $6 AND ", better_elsewhere!($database))
        };
    }
    let found: Option<(JobId,)> = per_database(select!(sqlite), select!(postgres))
        .at_place(&Slot { worker, device }, now)
        .bind(lease.job)
        .fetch_optional(tx)
        .await?;
    Ok(found.is_some())
}

#[cfg(test)]
mod tests {
    use optlab_domain::EndReason;
    use strum::VariantArray;

    #[test]
    fn the_reasons_in_sql_are_those_of_the_domain() {
        let reasons = EndReason::VARIANTS.iter().filter(|reason| reason.may_be_fault_of_place());
        let reasons: Vec<String> = reasons.map(|reason| format!("'{reason}'")).collect();
        assert!(failed_at!("1", "2").contains(&format!("IN ({})", reasons.join(", "))), "{reasons:?}");
    }
}
