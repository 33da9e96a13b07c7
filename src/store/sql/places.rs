//! Where a job has failed, and where else it could run. A place is a device of a worker. Places differ in driver, disk
//! and network, so a job that fails at one may succeed at another.

use super::statement::{Connect, Transaction, sql};
use crate::store::{Lease, OfferedDevice, Slot, StoreError};

/// Whether a row of `jobs` has failed at this place. $1: worker; $2: device.
macro_rules! failed_here {
    () => {
        "EXISTS (
             SELECT 1 FROM attempts a
             WHERE a.job_id = jobs.id AND a.worker_id = $1 AND a.device = $2
               AND a.end_reason IN ('runner_crashed', 'out_of_memory', 'machine_fault')
         )"
    };
}
pub(super) use failed_here;

/// Whether a row of `jobs` should be tried elsewhere: it has failed at this place, and another place that claims jobs
/// has not failed it yet. $1: worker; $2: device; $3: now; $4: other places; $5: other places with the same kind of
/// device.
macro_rules! better_elsewhere {
    () => {
        concat!(
            failed_here!(),
            " AND (
             SELECT count(DISTINCT CAST(a.worker_id AS TEXT) || ' ' || a.device)
             FROM attempts a JOIN workers w ON w.id = a.worker_id
             WHERE a.job_id = jobs.id AND (a.worker_id <> $1 OR a.device <> $2)
               AND a.end_reason IN ('runner_crashed', 'out_of_memory', 'machine_fault')
               AND w.ended_ms IS NULL AND w.draining = 0 AND w.trouble IS NULL
               AND w.last_seen_ms BETWEEN $3 - 30000 AND $3 + 30000
         ) < CASE jobs.device_wanted WHEN 'any' THEN $4 ELSE $5 END"
        )
    };
}
pub(super) use better_elsewhere;

/// Number of other places that claim jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Elsewhere {
    /// With any device.
    pub(super) any: i64,
    /// With the same kind of device.
    pub(super) alike: i64,
}

impl Elsewhere {
    /// Counts the places other than that of `slot`.
    pub(super) async fn than(slot: &Slot, on: &mut impl Connect, now: i64) -> Result<Self, StoreError> {
        let workers: Vec<(i64, String)> = sql("SELECT id, devices FROM workers
             WHERE ended_ms IS NULL AND draining = 0 AND trouble IS NULL
               AND last_seen_ms BETWEEN $1 - 30000 AND $1 + 30000")
        .bind(now)
        .fetch_all(on)
        .await?;
        let mut elsewhere = Self::default();
        for (worker, devices) in workers {
            let devices: Vec<OfferedDevice> = serde_json::from_str(&devices)?;
            for OfferedDevice { device, .. } in devices {
                let place = Slot { worker, device };
                if (place.worker, &place.device) != (slot.worker, &slot.device) {
                    elsewhere.any += 1;
                    elsewhere.alike += i64::from(place.device_kind() == slot.device_kind());
                }
            }
        }
        Ok(elsewhere)
    }
}

/// Whether a failure of this attempt says nothing new about its job, because the job has failed at this place before
/// and not yet at every other. Such a failure does not count.
pub(super) async fn says_nothing_new(
    tx: &mut Transaction,
    lease: Lease,
    now: i64,
) -> Result<bool, StoreError> {
    let (worker, device): (i64, String) =
        sql("SELECT worker_id, device FROM attempts WHERE job_id = $1 AND number = $2")
            .bind(lease.job)
            .bind(lease.attempt)
            .fetch_one(tx)
            .await?;
    let slot = Slot { worker, device };
    let elsewhere = Elsewhere::than(&slot, tx, now).await?;
    let found: Option<(i64,)> = sql(concat!("SELECT id FROM jobs WHERE id = $6 AND ", better_elsewhere!()))
        .bind(slot.worker)
        .bind(slot.device.as_str())
        .bind(now)
        .bind(elsewhere.any)
        .bind(elsewhere.alike)
        .bind(lease.job)
        .fetch_optional(tx)
        .await?;
    Ok(found.is_some())
}
