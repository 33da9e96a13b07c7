//! Pools of pilots, each kept by one process at a time.

use std::time::Duration;

use optlab_domain::database::JsonText;
use optlab_domain::engine::pause_after;
use optlab_domain::lifecycle::LONGEST_WAIT_MS;
use optlab_domain::{DeviceKind, Engine, Pilot, WorkerId};
use sqlx_macros::FromRow;

use crate::store::database::{locked, per_database, sql};
use crate::store::queue::waiting;
use crate::store::{NotFound, OfferedDevice, Store, StoreError};

/// A set of pilots that an engine starts on demand.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Pool {
    /// Its name, unique in the database.
    pub name: String,
    /// A random word that distinguishes its pilots in the engine from those of other databases.
    pub mark: String,
    /// The engine.
    pub engine: Engine,
    /// The devices of its pilots.
    pub device: DeviceKind,
    /// Maximum number of pilots.
    pub max_workers: i64,
    /// Its pilots, as the engine last reported them.
    pub pilots: JsonText<Vec<Pilot>>,
    /// Requests and pilots that failed, since the last pilot that worked.
    pub failures: i64,
    /// No pilot is requested before, milliseconds since the epoch; 0 without a pause.
    pub paused_until_ms: i64,
    /// What failed last, or why the engine does not answer.
    pub trouble: Option<String>,
    /// When a process last looked after it.
    pub seen_ms: i64,
    /// Number of the process that keeps it.
    pub holder: i64,
}

impl Pool {
    /// Time without a process that looks after it, after which a pool counts as unattended.
    pub const UNATTENDED_AFTER_MS: i64 = 180_000;

    /// Whether no process looks after it.
    pub fn is_unattended(&self, now_ms: i64) -> bool {
        (now_ms - self.seen_ms).abs() > Self::UNATTENDED_AFTER_MS
    }

    /// Time for which no pilot will be requested; `None` without a pause.
    pub fn pause_ms(&self, now_ms: i64) -> Option<i64> {
        let longest = pause_after(self.failures).as_millis() as i64;
        // A later end was written by a wrong clock.
        Some(self.paused_until_ms - now_ms).filter(|left| (1..=longest).contains(left))
    }
}

/// What a process requests when it takes a pool or keeps it.
#[derive(Clone, Debug)]
pub struct Hold<'a> {
    /// Name of the pool.
    pub pool: &'a str,
    /// The engine.
    pub engine: Engine,
    /// The devices of its pilots.
    pub device: DeviceKind,
    /// Maximum number of pilots.
    pub max_workers: i64,
    /// The number that the process got before; `None` at first.
    pub holder: Option<i64>,
    /// Time for which it keeps the pool.
    pub lease: Duration,
}

/// The need for pilots of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Queued jobs that are due and may run on its devices.
    pub queued: i64,
    /// Jobs that run on its pilots.
    pub running: i64,
    /// Slots of its newest pilot; `None` before the first.
    pub slots: Option<i64>,
}

/// The columns of [`Pool`].
macro_rules! pool_columns {
    () => {
        "name, mark, engine, device, max_workers, pilots, failures, paused_until_ms, trouble, seen_ms, holder"
    };
}

/// Takes or keeps a pool. `$random`: eight random digits. $1 to $4: name, engine, device and maximum; $5: number of the
/// process; $6: now; $7: end of its lease. The number of a process that takes a pool is new, and fences its writes.
macro_rules! hold_pool {
    ($random:literal) => {
        concat!(
            "INSERT INTO pools (name, mark, engine, device, max_workers, holder, held_until_ms, seen_ms)
             VALUES ($1, ",
            $random,
            ", $2, $3, $4, 1, $7, $6)
             ON CONFLICT (name) DO UPDATE SET
                 engine = excluded.engine, device = excluded.device, max_workers = excluded.max_workers,
                 holder = CASE WHEN pools.holder = $5 THEN pools.holder ELSE pools.holder + 1 END,
                 held_until_ms = excluded.held_until_ms, seen_ms = excluded.seen_ms
             WHERE pools.holder = $5 OR pools.held_until_ms NOT BETWEEN $6 AND $7
             RETURNING ",
            pool_columns!()
        )
    };
}

impl Store {
    /// Takes a pool, which is created by the first call, or keeps it; `None` while another process keeps it.
    pub async fn hold_pool(&self, hold: &Hold<'_>) -> Result<Option<Pool>, StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let lease = hold.lease.as_millis() as i64;
        let held = per_database(
            hold_pool!("lower(hex(randomblob(4)))"),
            hold_pool!("left(md5(random()::TEXT || clock_timestamp()::TEXT), 8)"),
        )
        .bind(hold.pool)
        .bind(hold.engine)
        .bind(hold.device)
        .bind(hold.max_workers)
        .bind(hold.holder)
        .bind(now)
        .bind(now + lease)
        .fetch_optional(&mut tx)
        .await?;
        self.commit_silently(tx).await?;
        Ok(held)
    }

    /// Gives the pool up, so that another process can take it at once.
    pub async fn release_pool(&self, pool: &Pool) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sql("UPDATE pools SET held_until_ms = 0 WHERE name = $1 AND holder = $2")
            .bind(pool.name.as_str())
            .bind(pool.holder)
            .execute(&mut tx)
            .await?;
        self.commit_silently(tx).await
    }

    /// Stores the pilots of a pool as the engine reports them, and `silence`, the reason why it did not answer. The
    /// trouble of a failure is kept.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another process keeps the pool now.
    pub async fn record_pilots(
        &self,
        pool: &Pool,
        pilots: &[Pilot],
        silence: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let recorded =
            sql("UPDATE pools SET pilots = $3, trouble = CASE WHEN failures = 0 THEN $4 ELSE trouble END
             WHERE name = $1 AND holder = $2")
            .bind(pool.name.as_str())
            .bind(pool.holder)
            .bind(serde_json::to_string(pilots)?)
            .bind(silence)
            .execute(&mut tx)
            .await?;
        if recorded == 0 {
            return Err(StoreError::Conflict(format!("another process keeps the pool {} now", pool.name)));
        }
        self.commit_silently(tx).await
    }

    /// Counts a failure of the pool, which pauses it by [`pause_after`]; returns the pause.
    pub async fn record_pool_failure(&self, pool: &Pool, trouble: &str) -> Result<Duration, StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let failures = 1 + locked!("SELECT failures FROM pools WHERE name = $1")
            .bind(pool.name.as_str())
            .fetch_number(&mut tx)
            .await?;
        let pause = pause_after(failures);
        sql("UPDATE pools SET failures = $3, paused_until_ms = $4, trouble = $5 WHERE name = $1 AND holder = $2")
            .bind(pool.name.as_str())
            .bind(pool.holder)
            .bind(failures)
            .bind(now + pause.as_millis() as i64)
            .bind(trouble)
            .execute(&mut tx)
            .await?;
        self.commit_silently(tx).await?;
        Ok(pause)
    }

    /// Ends the pause of a pool, and forgets its failures: a pilot has worked, or a person wants it to go on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn resume_pool(&self, name: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let resumed =
            sql("UPDATE pools SET failures = 0, paused_until_ms = 0, trouble = NULL WHERE name = $1")
                .bind(name)
                .execute(&mut tx)
                .await?;
        if resumed == 0 {
            return Err(NotFound::Pool(name.to_owned()).into());
        }
        self.commit_silently(tx).await
    }

    /// The pools that a process has looked after since `since_ms`, by name.
    pub async fn pools(&self, since_ms: i64) -> Result<Vec<Pool>, StoreError> {
        sql(concat!("SELECT ", pool_columns!(), " FROM pools WHERE seen_ms >= $1 ORDER BY name"))
            .bind(since_ms)
            .fetch_all(&mut self.read().await?)
            .await
    }

    /// The need for pilots of a pool.
    pub async fn demand(&self, pool: &Pool) -> Result<Demand, StoreError> {
        let mut reader = self.read().await?;
        let now = self.now(&mut reader).await?;
        let (queued,): (i64,) = sql(concat!("SELECT count(*) FROM jobs WHERE ", waiting!("$1", "$2", "$3")))
            .bind(pool.device)
            .bind(now)
            .bind(now + LONGEST_WAIT_MS)
            .fetch_one(&mut reader)
            .await?;
        let (running,): (i64,) = sql(
            "SELECT count(*) FROM jobs j JOIN workers w ON w.id = j.worker_id WHERE j.state = 'running' AND w.pool = $1",
        )
        .bind(pool.name.as_str())
        .fetch_one(&mut reader)
        .await?;
        let newest: Option<(JsonText<Vec<OfferedDevice>>,)> =
            sql("SELECT devices FROM workers WHERE pool = $1 AND devices <> '[]' ORDER BY id DESC LIMIT 1")
                .bind(pool.name.as_str())
                .fetch_optional(&mut reader)
                .await?;
        let slots = newest.map(|(devices,)| devices.iter().map(|device| device.slots as i64).sum());
        Ok(Demand { queued, running, slots })
    }

    /// Whether the newest worker of a pilot has claimed a job.
    pub async fn pilot_has_worked(&self, pool: &Pool, engine_job: &str) -> Result<bool, StoreError> {
        let worker: Option<(WorkerId,)> = sql("SELECT w.id FROM workers w WHERE w.id = (
                 SELECT max(id) FROM workers WHERE pool = $1 AND engine_job = $2
             ) AND EXISTS (SELECT 1 FROM attempts a WHERE a.worker_id = w.id)")
        .bind(pool.name.as_str())
        .bind(engine_job)
        .fetch_optional(&mut self.read().await?)
        .await?;
        Ok(worker.is_some())
    }
}
