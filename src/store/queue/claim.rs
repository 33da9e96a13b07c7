//! The claim of the next job by a slot.

use optlab_domain::lifecycle::{LONGEST_WAIT_FOR_PLACE_MS, LONGEST_WAIT_MS};
use optlab_domain::{AttemptNumber, EndReason, ExperimentId, JobId, Lease};
use optlab_spec::JobSpec;
use sqlx_macros::FromRow;

use super::ends::{End, close};
use super::places::{better_elsewhere, failed_at, offered};
use crate::store::artifacts::checkpoints;
use crate::store::database::{Statement, Transaction, per_database, sql};
use crate::store::version::new_version;
use crate::store::{Claim, Slot, Store, StoreError};

#[derive(FromRow)]
struct ClaimedRow {
    id: JobId,
    attempt: AttemptNumber,
    step: i64,
    rungs_passed: i64,
    experiment_id: ExperimentId,
    spec: String,
    time_limit_seconds: i64,
    created_ms: i64,
    not_before_ms: i64,
    given_back_ms: Option<i64>,
}

impl ClaimedRow {
    /// The time at which the job entered the queue: at its submission, the end of its last attempt, a retry by a
    /// person, or the end of a delay. Times ahead of `now` were written by a wrong clock.
    fn claimable_since(&self, now: i64) -> i64 {
        let times = [Some(self.created_ms), Some(self.not_before_ms), self.given_back_ms];
        times.into_iter().flatten().filter(|&time| time <= now).max().unwrap_or(now)
    }
}

/// Selects the jobs that wait for this kind of device. `$latest`: latest end of a retry delay, because a time further
/// ahead was written by a wrong clock.
macro_rules! waiting {
    ($kind:literal, $now:literal, $latest:literal) => {
        concat!(
            "state = 'queued' AND waits_at IS NULL AND device_wanted IN ('any', ",
            $kind,
            ") AND NOT (not_before_ms > ",
            $now,
            " AND not_before_ms <= ",
            $latest,
            ")"
        )
    };
}
pub(in crate::store) use waiting;

/// Selects the jobs with a data set that is not in the JSON list $9.
macro_rules! has_data {
    (sqlite) => {
        "($9 = '[]' OR spec ->> '$.train.data.name' NOT IN (SELECT value FROM json_each($9)))"
    };
    (postgres) => {
        "(CAST($9 AS TEXT) = '[]' OR CAST(spec AS JSONB) #>> '{train,data,name}' NOT IN
          (SELECT jsonb_array_elements_text(CAST($9 AS JSONB))))"
    };
}

/// Selects the jobs that may start at this place. $6: now; $7: the latest end of a delay; $8: a job that was given back
/// before has waited long enough for another place; $9: that of [`has_data`]. The other parameters are those of
/// [`better_elsewhere`].
macro_rules! claimable {
    ($database:ident) => {
        concat!(
            waiting!("$3", "$6", "$7"),
            " AND ",
            has_data!($database),
            " AND NOT (not_before_ms > $8 AND ",
            better_elsewhere!($database),
            ")"
        )
    };
}

/// $10: end of the lease. `lock` locks the row and lets other claims skip it.
macro_rules! claim {
    ($database:ident, $lock:literal) => {
        concat!(
            "UPDATE jobs
             SET state = 'running', worker_id = $1, lease_until_ms = $10, attempt = attempt + 1, started_ms = $6,
                 ended_ms = NULL, end_reason = NULL, error = NULL, version = ",
            new_version!($database),
            " WHERE id = (
                 SELECT id FROM jobs WHERE ",
            claimable!($database),
            " ORDER BY priority DESC, id LIMIT 1 ",
            $lock,
            ")
             RETURNING id, attempt, step, rungs_passed, experiment_id, spec, time_limit_seconds, created_ms, not_before_ms,
                 (SELECT max(a.ended_ms) FROM attempts a WHERE a.job_id = jobs.id) AS given_back_ms"
        )
    };
}

impl Statement {
    /// Binds the parameters $1 to $9 of a claim.
    fn claimed_by(self, slot: &Slot, now: i64, without: &[String]) -> Self {
        let place = self.at_place(slot, now);
        let times = place.bind(now).bind(now + LONGEST_WAIT_MS).bind(now - LONGEST_WAIT_FOR_PLACE_MS);
        times.bind(serde_json::json!(without).to_string())
    }
}

impl Store {
    /// The next job that may run in `slot`, leased for `lease_ms`.
    pub async fn claim(&self, slot: &Slot, lease_ms: i64) -> Result<Option<Claim>, StoreError> {
        self.claim_without(slot, lease_ms, &[]).await
    }

    /// The same, `without` the jobs with a data set of one of these names.
    pub async fn claim_without(
        &self,
        slot: &Slot,
        lease_ms: i64,
        without: &[String],
    ) -> Result<Option<Claim>, StoreError> {
        // Most calls find nothing and must not wait for the only writer.
        if !self.any_job_waits(slot, without).await? {
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let row: Option<ClaimedRow> =
            per_database(claim!(sqlite, ""), claim!(postgres, "FOR UPDATE SKIP LOCKED"))
                .claimed_by(slot, now, without)
                .bind(now + lease_ms)
                .fetch_optional(&mut tx)
                .await?;
        let Some(row) = row else { return Ok(None) };
        let lease = Lease { job: row.id, attempt: row.attempt };
        insert_attempt(&mut tx, slot, &row, now).await?;
        // The write transaction is kept short: a first attempt has no checkpoints.
        let checkpoints = if row.attempt == AttemptNumber::FIRST {
            Vec::new()
        } else {
            checkpoints(&mut tx, row.id).await?
        };
        let claim = read_spec(&row.spec).map(|spec| Claim {
            lease,
            experiment_id: row.experiment_id,
            stop_at: spec.rungs.get(row.rungs_passed as usize).copied(),
            spec,
            time_limit_seconds: row.time_limit_seconds,
            checkpoints,
        });
        if let Err(error) = &claim {
            // No worker could run it, so it ends with the reason instead of waiting.
            let end = End::of(EndReason::UserError, &error.to_string());
            close(&mut tx, lease, &end, now).await?;
        }
        self.commit(tx).await?;
        self.activity.claim_waits.observe((now - row.claimable_since(now)) as f64 / 1000.0);
        claim.map(Some)
    }

    async fn any_job_waits(&self, slot: &Slot, without: &[String]) -> Result<bool, StoreError> {
        let mut reader = self.read().await?;
        let now = self.now(&mut reader).await?;
        macro_rules! select {
            ($database:ident) => {
                concat!(
                    "SELECT id FROM jobs WHERE ",
                    waiting!("$3", "$6", "$7"),
                    " AND ",
                    has_data!($database),
                    " LIMIT 1"
                )
            };
        }
        let waiting: Option<(JobId,)> = per_database(select!(sqlite), select!(postgres))
            .claimed_by(slot, now, without)
            .fetch_optional(&mut reader)
            .await?;
        Ok(waiting.is_some())
    }
}

async fn insert_attempt(
    tx: &mut Transaction,
    slot: &Slot,
    job: &ClaimedRow,
    now: i64,
) -> Result<(), StoreError> {
    sql("INSERT INTO attempts (job_id, number, worker_id, device, started_ms, start_step)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(job.id)
    .bind(job.attempt)
    .bind(slot.worker)
    .bind(slot.device)
    .bind(now)
    .bind(job.step)
    .execute(tx)
    .await?;
    Ok(())
}

fn read_spec(spec: &str) -> Result<JobSpec, StoreError> {
    Ok(JobSpec::from_stored(&serde_json::from_str(spec)?)?)
}
