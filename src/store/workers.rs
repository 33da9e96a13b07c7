//! Who offers slots.

use async_trait::async_trait;

use super::StoreError;

/// A process that claims jobs.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Its id.
    pub id: i64,
    /// Host and process.
    pub name: String,
    /// One device a slot.
    pub devices: Vec<String>,
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
}

/// What can be asked about workers.
#[async_trait]
pub trait Workers: Send + Sync {
    /// Registers a worker; returns its id.
    async fn register_worker(&self, name: &str, devices: &[String]) -> Result<i64, StoreError>;

    /// Notes that the worker is alive; returns whether it shall drain.
    async fn worker_is_alive(&self, id: i64) -> Result<bool, StoreError>;

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
