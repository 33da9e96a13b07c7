//! Who offers slots.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::StoreError;

/// A process that claims jobs.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Its id.
    pub id: i64,
    /// Host and process.
    pub name: String,
    /// What it offers, as it was when the worker was last heard of.
    pub devices: Vec<OfferedDevice>,
    /// What it runs now.
    pub jobs: Vec<i64>,
    /// When it began, milliseconds since the epoch.
    pub started_ms: i64,
    /// When it was last heard of.
    pub last_seen_ms: i64,
    /// When it said goodbye.
    pub ended_ms: Option<i64>,
    /// Whether it claims nothing more.
    pub draining: bool,
    /// Why the worker, or one of its slots, claims nothing at present.
    pub trouble: Option<String>,
}

impl Worker {
    /// A worker reports every few seconds and counts as gone after this much silence.
    pub const GONE_AFTER_MS: i64 = 30_000;

    /// The times between which a worker was last heard of that is not gone, both included.
    pub fn heard_of(now_ms: i64) -> (i64, i64) {
        (now_ms - Self::GONE_AFTER_MS, now_ms + Self::GONE_AFTER_MS)
    }

    /// Whether the worker has ended or has been silent for too long. A time in the future was written by a wrong clock
    /// and counts as silence.
    pub fn is_gone(&self, now_ms: i64) -> bool {
        let (earliest, latest) = Self::heard_of(now_ms);
        self.ended_ms.is_some() || !(earliest..=latest).contains(&self.last_seen_ms)
    }
}

/// A device on which a worker runs jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedDevice {
    /// `cpu`, `cuda:0`, ...
    pub device: String,
    /// What its maker calls it; absent where libtorch does not find it.
    pub name: Option<String>,
    /// Jobs at a time.
    pub slots: usize,
    /// Slots that claim nothing for a while, because attempts on them have failed.
    #[serde(default)]
    pub resting: usize,
    /// Absent where the machine or its driver does not tell.
    pub memory: Option<Memory>,
}

impl OfferedDevice {
    /// Slots that claim jobs or run one.
    pub fn working_slots(&self) -> usize {
        self.slots.saturating_sub(self.resting)
    }
}

/// Memory of a machine or a GPU, whoever uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// All that there is.
    pub total_bytes: u64,
    /// What a program that starts now cannot have.
    pub used_bytes: u64,
}

/// What can be asked about workers.
#[async_trait]
pub trait Workers: Send + Sync {
    /// Registers a worker; returns its id.
    async fn register_worker(&self, name: &str, devices: &[OfferedDevice]) -> Result<i64, StoreError>;

    /// Records a heartbeat of the worker with its current devices and the reason why it claims nothing, if any; returns
    /// whether a drain was requested.
    async fn worker_is_alive(
        &self,
        id: i64,
        devices: &[OfferedDevice],
        trouble: Option<&str>,
    ) -> Result<bool, StoreError>;

    /// Asks the worker to claim nothing more and to stop.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn drain_worker(&self, id: i64) -> Result<(), StoreError>;

    /// Notes that the worker has stopped in good order.
    async fn worker_has_stopped(&self, id: i64) -> Result<(), StoreError>;

    /// The workers heard of after `since_ms`, newest first.
    async fn workers(&self, since_ms: i64) -> Result<Vec<Worker>, StoreError>;
}
