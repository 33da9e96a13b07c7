//! Workers and their slots.

use optlab_domain::database::JsonText;
use optlab_domain::{Engine, JobId, WorkerId};
use serde::{Deserialize, Serialize};
use sqlx_macros::FromRow;

use crate::store::database::sql;
use crate::store::{NotFound, Store, StoreError};

/// A process that claims jobs.
#[derive(Clone, Debug, FromRow)]
pub struct Worker {
    /// Its id.
    pub id: WorkerId,
    /// Host and process.
    pub name: String,
    /// Its devices at its last heartbeat.
    pub devices: JsonText<Vec<OfferedDevice>>,
    /// The jobs that it runs.
    pub jobs: JsonText<Vec<JobId>>,
    /// When it began, milliseconds since the epoch.
    pub started_ms: i64,
    /// Time of its last heartbeat.
    pub last_seen_ms: i64,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// Whether it is draining.
    pub draining: bool,
    /// Why the worker, or one of its slots, claims nothing at present.
    pub trouble: Option<String>,
    /// Where its machine comes from.
    #[sqlx(flatten)]
    pub origin: Origin,
    /// Why the engine took its machine away.
    pub preempted: Option<String>,
}

/// Where the machine of a worker comes from, if an engine lent it.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Origin {
    /// The engine.
    pub engine: Option<Engine>,
    /// The engine's id for the job that runs the worker.
    pub engine_job: Option<String>,
    /// The engine's name of the machine.
    pub node: Option<String>,
    /// The pool of the pilot.
    pub pool: Option<String>,
    /// When the machine goes away, milliseconds since the epoch.
    pub until_ms: Option<i64>,
}

impl Worker {
    /// Time without a heartbeat after which a worker counts as gone. It reports every few seconds.
    pub const GONE_AFTER_MS: i64 = 30_000;

    /// The range of last heartbeats of workers that are not gone, both ends included.
    pub fn last_seen_range(now_ms: i64) -> (i64, i64) {
        (now_ms - Self::GONE_AFTER_MS, now_ms + Self::GONE_AFTER_MS)
    }

    /// Whether the worker has ended or has been silent for too long. A time in the future was written by a wrong clock
    /// and counts as silence.
    pub fn is_gone(&self, now_ms: i64) -> bool {
        let (earliest, latest) = Self::last_seen_range(now_ms);
        self.ended_ms.is_some() || !(earliest..=latest).contains(&self.last_seen_ms)
    }
}

/// A device on which a worker runs jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedDevice {
    /// `cpu`, `cuda:0`, ...
    pub device: String,
    /// Product name; absent if libtorch does not find it.
    pub name: Option<String>,
    /// Number of slots.
    pub slots: usize,
    /// Slots that claim nothing for a while, because attempts on them have failed.
    #[serde(default)]
    pub resting: usize,
    /// Absent if the machine or its driver does not report it.
    pub memory: Option<Memory>,
}

impl OfferedDevice {
    /// Slots that claim jobs or run one.
    pub fn working_slots(&self) -> usize {
        self.slots.saturating_sub(self.resting)
    }
}

/// Memory of a machine or a GPU, over all programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Total memory.
    pub total_bytes: u64,
    /// Memory that is not available to a new program.
    pub used_bytes: u64,
}

impl Store {
    /// Records a heartbeat of the worker with its current devices and the reason why it claims nothing, if any; returns
    /// whether a drain was requested.
    pub async fn record_heartbeat(
        &self,
        id: WorkerId,
        devices: &[OfferedDevice],
        trouble: Option<&str>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let draining = sql(
            "UPDATE workers SET last_seen_ms = $2, devices = $3, trouble = $4 WHERE id = $1 RETURNING draining",
        )
        .bind(id)
        .bind(now)
        .bind(serde_json::to_string(devices)?)
        .bind(trouble)
        .fetch_number(&mut tx)
        .await?;
        self.commit(tx).await?;
        Ok(draining != 0)
    }

    /// Records that the worker has stopped in good order.
    pub async fn deregister_worker(&self, id: WorkerId) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        sql("UPDATE workers SET last_seen_ms = $2, ended_ms = $2 WHERE id = $1")
            .bind(id)
            .bind(now)
            .execute_one(&mut tx)
            .await?;
        self.commit(tx).await
    }

    /// Requests a drain of the worker: it claims no more jobs and stops.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn drain_worker(&self, id: WorkerId) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let drained = sql("UPDATE workers SET draining = 1 WHERE id = $1").bind(id).execute(&mut tx).await?;
        if drained == 0 {
            return Err(NotFound::Worker(id).into());
        }
        self.commit(tx).await
    }

    /// The workers with a heartbeat after `since_ms`, newest first.
    pub async fn workers(&self, since_ms: i64) -> Result<Vec<Worker>, StoreError> {
        sql(
            "SELECT w.id, w.name, w.devices, w.started_ms, w.last_seen_ms, w.ended_ms, w.draining = 1 AS draining, w.trouble,
             w.engine, w.engine_job, w.node, w.pool, w.until_ms, w.preempted,
             '[' || coalesce((
                 SELECT string_agg(CAST(j.id AS TEXT), ',') FROM jobs j
                 WHERE j.worker_id = w.id AND j.state = 'running'
             ), '') || ']' AS jobs
             FROM workers w WHERE w.last_seen_ms >= $1 ORDER BY w.id DESC",
        )
        .bind(since_ms)
        .fetch_all(&mut self.read().await?)
        .await
    }
}
