//! Where a job has failed, and where else it could run. A place is a device of a worker. Places differ in driver, disk
//! and network, so a job that fails at one may succeed at another.

use super::statement::{Connect, Statement, Transaction, sql};
use crate::store::{Lease, OfferedDevice, Slot, StoreError, Worker};

/// Selects the attempts of a row of `jobs` whose end may be the fault of their place.
macro_rules! failures {
    () => {
        "FROM attempts a
         WHERE a.job_id = jobs.id AND a.end_reason IN ('runner_crashed', 'out_of_memory', 'machine_fault')"
    };
}
pub(super) use failures;

/// Whether a row of `jobs` has failed at this place. $1: worker; $2: device.
macro_rules! failed_here {
    () => {
        concat!("EXISTS (SELECT 1 ", failures!(), " AND a.worker_id = $1 AND a.device = $2)")
    };
}
pub(super) use failed_here;

/// Whether a row of `jobs` should be tried elsewhere: it has failed at this place, but not at every other place that
/// claims jobs. $3 to $5: [`Elsewhere`]; the other parameters are those of [`failed_here`].
macro_rules! better_elsewhere {
    () => {
        concat!(
            failed_here!(),
            " AND (SELECT count(DISTINCT CAST(a.worker_id AS TEXT) || ' ' || a.device) ",
            failures!(),
            " AND $5 LIKE '%,' || CAST(a.worker_id AS TEXT) || ' ' || a.device || ',%')
             < CASE jobs.device_wanted WHEN 'any' THEN $3 ELSE $4 END"
        )
    };
}
pub(super) use better_elsewhere;

/// The other places that claim jobs: those where not every slot rests.
#[derive(Clone, Debug)]
pub(super) struct Elsewhere {
    /// Their number.
    any: i64,
    /// The number of those with the same kind of device.
    alike: i64,
    /// Each as `WORKER DEVICE`, with a comma before and after it.
    places: String,
}

impl Elsewhere {
    /// Stands for the other places while they are not known: a job that has failed here waits for one.
    pub(super) fn unknown() -> Self {
        Self { any: i64::MAX, alike: i64::MAX, places: String::new() }
    }

    /// Finds the places other than that of `slot`.
    pub(super) async fn than(slot: &Slot, on: &mut impl Connect, now: i64) -> Result<Self, StoreError> {
        let (earliest, latest) = Worker::heard_of(now);
        let workers: Vec<(i64, String)> = sql("SELECT id, devices FROM workers
             WHERE ended_ms IS NULL AND draining = 0 AND last_seen_ms BETWEEN $1 AND $2")
        .bind(earliest)
        .bind(latest)
        .fetch_all(on)
        .await?;
        let mut elsewhere = Self { any: 0, alike: 0, places: ",".to_owned() };
        for (worker, devices) in workers {
            let devices: Vec<OfferedDevice> = serde_json::from_str(&devices)?;
            for offered in devices.into_iter().filter(|offered| offered.working_slots() > 0) {
                let place = Slot { worker, device: offered.device };
                if (place.worker, &place.device) != (slot.worker, &slot.device) {
                    elsewhere.any += 1;
                    elsewhere.alike += i64::from(place.device_kind() == slot.device_kind());
                    elsewhere.places += &format!("{worker} {},", place.device);
                }
            }
        }
        Ok(elsewhere)
    }
}

impl Statement {
    /// Binds the parameters $1 to $5 of [`better_elsewhere`].
    pub(super) fn at_place(self, slot: &Slot, elsewhere: &Elsewhere) -> Self {
        self.bind(slot.worker)
            .bind(slot.device.as_str())
            .bind(elsewhere.any)
            .bind(elsewhere.alike)
            .bind(elsewhere.places.as_str())
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
        .at_place(&slot, &elsewhere)
        .bind(lease.job)
        .fetch_optional(tx)
        .await?;
    Ok(found.is_some())
}
