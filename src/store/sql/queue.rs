//! The queue: tables `jobs` and `attempts` as workers write them.

use async_trait::async_trait;
use optlab_spec::JobSpec;
use optlab_spec::protocol::{EndReason, Environment, Point, Summary};
use sqlx::FromRow;

use super::artifacts::{checkpoints, forget_checkpoints_after, insert_artifact};
use super::curves::{condense, condense_job, cut};
use super::ends::{End, Then, close, ended_before};
use super::places::{Elsewhere, better_elsewhere, failed_here};
use super::record::{Held, Record};
use super::results::insert_result;
use super::statement::{Reader, Statement, Transaction, sql};
use super::{Database, SqlStore, next_version};
use crate::store::{Artifact, AttemptEnd, Claim, JobState, Lease, Queue, Slot, StoreError, Wish};

#[derive(FromRow)]
struct ClaimedRow {
    id: i64,
    attempt: i64,
    step: i64,
    experiment_id: i64,
    spec: String,
    time_limit_seconds: i64,
}

/// Selects the jobs that could start on some worker. $3: now; $6: kind of device. A retry delay never exceeds five
/// minutes; a time further ahead was written by a wrong clock and is ignored.
macro_rules! waiting {
    () => {
        "state = 'queued' AND device_wanted IN ('any', $6) AND not_before_ms NOT BETWEEN $3 + 1 AND $3 + 300000"
    };
}

/// Selects the jobs that may start at this place; the parameters are those of [`waiting`] and [`better_elsewhere`]. A
/// job waits at most ten minutes for another place.
macro_rules! claimable {
    () => {
        concat!(waiting!(), " AND NOT (not_before_ms > $3 - 600000 AND ", better_elsewhere!(), ")")
    };
}

/// $7: end of the lease; $8: version. `lock` locks the row and lets other claims skip it.
macro_rules! claim {
    ($lock:literal) => {
        concat!(
            "UPDATE jobs
             SET state = 'running', worker_id = $1, lease_until_ms = $7, attempt = attempt + 1, started_ms = $3,
                 ended_ms = NULL, end_reason = NULL, error = NULL, version = $8
             WHERE id = (
                 SELECT id FROM jobs WHERE ",
            claimable!(),
            " ORDER BY priority DESC, id LIMIT 1 ",
            $lock,
            ")
             RETURNING id, attempt, step, experiment_id, spec, time_limit_seconds"
        )
    };
}

/// Longer than any lease, with a margin of one minute for a claim that is in progress.
const LONGEST_LEASE_MS: i64 = 1000 * (Claim::LONGEST_LEASE_SECONDS as i64 + 60);

/// Selects the jobs that nobody runs. Their lease has expired, or it ends later than any lease can, because a wrong
/// clock wrote it, or a cancel request is pending and their worker is gone. $1: now; $2: latest end of a lease.
macro_rules! abandoned {
    () => {
        "state = 'running' AND (lease_until_ms NOT BETWEEN $1 AND $2 OR requested = 'cancel' AND EXISTS (
             SELECT 1 FROM workers w
             WHERE w.id = jobs.worker_id
               AND (w.ended_ms IS NOT NULL OR w.last_seen_ms NOT BETWEEN $1 - 30000 AND $1 + 30000)
         ))"
    };
}

#[async_trait]
impl Queue for SqlStore {
    async fn claim(&self, slot: &Slot, lease_ms: i64) -> Result<Option<Claim>, StoreError> {
        // Most calls find nothing: they must not wait for the one writer.
        let mut reader = self.read().await?;
        let now = self.now(&mut reader).await?;
        let elsewhere = match first_in_queue(&mut reader, slot, now).await? {
            None => return Ok(None),
            Some(First { failed_here: false }) => Elsewhere::default(),
            Some(First { failed_here: true }) => Elsewhere::than(slot, &mut reader, now).await?,
        };
        if elsewhere != Elsewhere::default() && !may_claim(&mut reader, slot, now, elsewhere).await? {
            return Ok(None);
        }
        drop(reader);
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let version = next_version(&mut tx).await?;
        let row: Option<ClaimedRow> = tx
            .either(claim!(""), claim!("FOR UPDATE SKIP LOCKED"))
            .claimed_by(slot, now, elsewhere)
            .bind(now + lease_ms)
            .bind(version)
            .fetch_optional(&mut tx)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let lease = Lease { job: row.id, attempt: row.attempt };
        sql("INSERT INTO attempts (job_id, number, worker_id, device, started_ms, start_step)
             VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(row.id)
        .bind(row.attempt)
        .bind(slot.worker)
        .bind(slot.device.as_str())
        .bind(now)
        .bind(row.step)
        .execute(&mut tx)
        .await?;
        let checkpoints = checkpoints(&mut tx, row.id).await?;
        let claimable_ms = claimable_since(&mut tx, row.id).await?;
        let claim = read_spec(&row.spec).map(|spec| Claim {
            lease,
            experiment_id: row.experiment_id,
            spec,
            time_limit_seconds: row.time_limit_seconds,
            checkpoints,
        });
        if let Err(error) = &claim {
            // Nobody could run it: an end says so, where waiting would not.
            let end = End::of(EndReason::UserError, &error.to_string());
            close(&mut tx, lease, &end, Then::Ends(JobState::Failed), now).await?;
        }
        self.commit(tx).await?;
        self.activity.claim_waits.observe((now - claimable_ms).max(0) as f64 / 1000.0);
        claim.map(Some)
    }

    async fn start(
        &self,
        lease: Lease,
        environment: &Environment,
        step: u64,
        steps: u64,
    ) -> Result<Vec<Artifact>, StoreError> {
        let mut tx = self.begin().await?;
        check(&mut tx, lease).await?;
        let version = next_version(&mut tx).await?;
        let forgotten = forget_checkpoints_after(&mut tx, lease.job, step as i64).await?;
        cut(&mut tx, lease.job, step as i64).await?;
        // The measurement at step 0 is the new attempt's own too.
        sql("DELETE FROM metric_points WHERE job_id = $1 AND (step > $2 OR $2 = 0)")
            .bind(lease.job)
            .bind(step as i64)
            .execute(&mut tx)
            .await?;
        sql("UPDATE jobs SET step = $2, steps = $3, version = $4 WHERE id = $1")
            .bind(lease.job)
            .bind(step as i64)
            .bind(steps as i64)
            .bind(version)
            .execute(&mut tx)
            .await?;
        sql("UPDATE attempts SET environment = $3, start_step = $4 WHERE job_id = $1 AND number = $2")
            .bind(lease.job)
            .bind(lease.attempt)
            .bind(serde_json::to_string(environment)?)
            .bind(step as i64)
            .execute(&mut tx)
            .await?;
        self.commit(tx).await?;
        Ok(forgotten)
    }

    async fn record(
        &self,
        lease: Lease,
        points: &[Point],
        step: Option<u64>,
        lease_ms: i64,
    ) -> Result<Option<Wish>, StoreError> {
        let series_ids = self.series_ids(points).await?;
        let record = Record { lease, points, series_ids, step, lease_ms, now_ms: self.given_time() };
        let held = match self.database {
            Database::Sqlite(_) => {
                let mut tx = self.begin().await?;
                let held = record.write_rows(&mut tx).await?;
                self.commit(tx).await?;
                held
            }
            Database::Postgres(_) => {
                let held = record.write_at_once(&mut self.read().await?).await?;
                self.tell_change();
                held
            }
        };
        let Some(Held { requested }) = held else {
            self.uncondensed.forget(lease.job);
            return Err(StoreError::LeaseLost { job: lease.job, attempt: lease.attempt });
        };
        self.activity.points.inc_by(points.len() as u64);
        self.condense_if_long(lease, &record.series_ids).await;
        Ok(requested.and_then(|wish| match wish.as_str() {
            "cancel" => Some(Wish::Cancel),
            "pause" => Some(Wish::Pause),
            _ => None,
        }))
    }

    async fn remark(&self, lease: Lease, trouble: Option<&str>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        check(&mut tx, lease).await?;
        let version = next_version(&mut tx).await?;
        sql("UPDATE attempts SET error = $3 WHERE job_id = $1 AND number = $2")
            .bind(lease.job)
            .bind(lease.attempt)
            .bind(trouble)
            .execute(&mut tx)
            .await?;
        sql("UPDATE jobs SET version = $2 WHERE id = $1")
            .bind(lease.job)
            .bind(version)
            .execute(&mut tx)
            .await?;
        self.commit(tx).await
    }

    async fn add_artifact(&self, lease: Lease, artifact: &Artifact) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        check(&mut tx, lease).await?;
        let now = self.now(&mut tx).await?;
        insert_artifact(&mut tx, lease.job, artifact, now).await?;
        self.commit(tx).await
    }

    async fn end(&self, lease: Lease, end: AttemptEnd) -> Result<JobState, StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let (mut outcome, mut then) = (End::from(&end), Then::from(&end));
        match check(&mut tx, lease).await {
            Err(StoreError::LeaseLost { .. }) => return ended_before(&mut tx, lease, &outcome).await,
            checked => checked?,
        }
        if let AttemptEnd::Finished(run) = &end {
            match missing_points(&mut tx, lease.job, &run.points).await? {
                None => complete(&mut tx, lease.job, &run.summary).await?,
                // Only a bug of this program can lose points. The job is trained again.
                Some(error) => {
                    forget_checkpoints_after(&mut tx, lease.job, 0).await?;
                    outcome = End::of(EndReason::RunnerCrashed, &error);
                    then = Then::IsTriedAgain { backs_off: true };
                }
            }
        }
        self.uncondensed.forget(lease.job);
        let state = close(&mut tx, lease, &outcome, then, now).await?;
        match state {
            JobState::Queued => self.commit_queued(tx).await?,
            _ => self.commit(tx).await?,
        }
        Ok(state)
    }

    async fn try_to_write(&self) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        // A transaction without a change would succeed even on a full disk. This one writes a page in SQLite, a row in
        // Postgres.
        sql("INSERT INTO settings (name, value) VALUES ('last_write_check', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(now.to_string())
        .execute(&mut tx)
        .await?;
        self.commit_in_silence(tx).await
    }

    async fn reap(&self) -> Result<Vec<Lease>, StoreError> {
        let mut reader = self.read().await?;
        let now = self.now(&mut reader).await?;
        let over: Option<(i64,)> = sql(concat!("SELECT id FROM jobs WHERE ", abandoned!(), " LIMIT 1"))
            .bind(now)
            .bind(now + LONGEST_LEASE_MS)
            .fetch_optional(&mut reader)
            .await?;
        drop(reader);
        if over.is_none() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        let lost: Vec<(i64, i64)> =
            sql(concat!("SELECT id, attempt FROM jobs WHERE ", abandoned!(), " ORDER BY id"))
                .bind(now)
                .bind(now + LONGEST_LEASE_MS)
                .for_update()
                .fetch_all(&mut tx)
                .await?;
        let lost: Vec<Lease> = lost.into_iter().map(|(job, attempt)| Lease { job, attempt }).collect();
        for &lease in &lost {
            let end = End::of(EndReason::WorkerLost, "the worker was not heard of until its lease was over");
            close(&mut tx, lease, &end, Then::IsTriedAgain { backs_off: false }, now).await?;
        }
        self.commit_queued(tx).await?;
        Ok(lost)
    }
}

impl SqlStore {
    /// After points were recorded. What cannot be condensed now is condensed with the points to come.
    async fn condense_if_long(&self, lease: Lease, series: &[i64]) {
        let long = self.uncondensed.count(lease.job, series);
        if long.is_empty() {
            return;
        }
        let condensed = async {
            let mut tx = self.begin().await?;
            check(&mut tx, lease).await?;
            for series in long {
                condense(&mut tx, lease.job, series).await?;
            }
            self.commit_in_silence(tx).await
        };
        if let Err(error) = condensed.await {
            tracing::debug!(%error, job.id = lease.job, "curves are not condensed yet");
        }
    }
}

/// Stores the final figures of a complete run.
async fn complete(tx: &mut Transaction, job: i64, summary: &Summary) -> Result<(), StoreError> {
    sql("UPDATE jobs SET step = steps, parameters_trained = $2 WHERE id = $1")
        .bind(job)
        .bind(summary.parameters_trained as i64)
        .execute(tx)
        .await?;
    condense_job(tx, job).await?;
    insert_result(tx, job, summary).await
}

/// An error that names the first series with fewer points than a complete run records.
async fn missing_points(
    tx: &mut Transaction,
    job: i64,
    expected: &[(&'static str, u64)],
) -> Result<Option<String>, StoreError> {
    for &(series, expected) in expected {
        let stored = sql("SELECT count(*) FROM metric_points p JOIN series s ON s.id = p.series_id
             WHERE p.job_id = $1 AND s.name = $2")
        .bind(job)
        .bind(series)
        .fetch_number(tx)
        .await?;
        if stored < expected as i64 {
            return Ok(Some(format!(
                "the run is complete but {series} has {stored} of {expected} points; the job starts again at step 0"
            )));
        }
    }
    Ok(None)
}

impl Statement {
    /// Binds the parameters $1 to $6 of a claim.
    fn claimed_by(self, slot: &Slot, now: i64, elsewhere: Elsewhere) -> Self {
        self.bind(slot.worker)
            .bind(slot.device.as_str())
            .bind(now)
            .bind(elsewhere.any)
            .bind(elsewhere.alike)
            .bind(slot.device_kind())
    }
}

/// The fence: whoever is not the running attempt of the job can write nothing. Holds the job until the transaction ends.
async fn check(tx: &mut Transaction, lease: Lease) -> Result<(), StoreError> {
    let holds: Option<(i64,)> =
        sql("SELECT id FROM jobs WHERE id = $1 AND attempt = $2 AND state = 'running'")
            .bind(lease.job)
            .bind(lease.attempt)
            .for_update()
            .fetch_optional(tx)
            .await?;
    holds.map(|_| ()).ok_or(StoreError::LeaseLost { job: lease.job, attempt: lease.attempt })
}

/// The first job in the queue that could start on this kind of device.
struct First {
    failed_here: bool,
}

async fn first_in_queue(reader: &mut Reader, slot: &Slot, now: i64) -> Result<Option<First>, StoreError> {
    let first: Option<(i64,)> = sql(concat!(
        "SELECT CAST(CASE WHEN ",
        failed_here!(),
        " THEN 1 ELSE 0 END AS BIGINT) FROM jobs WHERE ",
        waiting!(),
        " ORDER BY priority DESC, id LIMIT 1"
    ))
    .claimed_by(slot, now, Elsewhere::default())
    .fetch_optional(reader)
    .await?;
    Ok(first.map(|(failed_here,)| First { failed_here: failed_here != 0 }))
}

/// Whether any queued job may start at this place.
async fn may_claim(
    reader: &mut Reader,
    slot: &Slot,
    now: i64,
    elsewhere: Elsewhere,
) -> Result<bool, StoreError> {
    let job: Option<(i64,)> = sql(concat!("SELECT id FROM jobs WHERE ", claimable!(), " LIMIT 1"))
        .claimed_by(slot, now, elsewhere)
        .fetch_optional(reader)
        .await?;
    Ok(job.is_some())
}

/// When the job came into the queue: submitted, given back by its last attempt, wanted again by a person, or at the end
/// of a wait.
async fn claimable_since(tx: &mut Transaction, job: i64) -> Result<i64, StoreError> {
    sql("SELECT max(since) FROM (
             SELECT created_ms AS since FROM jobs WHERE id = $1
             UNION ALL SELECT not_before_ms FROM jobs WHERE id = $1
             UNION ALL SELECT ended_ms FROM attempts WHERE job_id = $1
         ) events")
    .bind(job)
    .fetch_number(tx)
    .await
}

fn read_spec(spec: &str) -> Result<JobSpec, StoreError> {
    Ok(JobSpec::from_stored(&serde_json::from_str(spec)?)?)
}
