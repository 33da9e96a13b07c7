//! Workers and their devices.

use optlab_domain::{JobId, WorkerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A process that claims jobs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Worker {
    /// Its id.
    #[schema(value_type = i64)]
    pub id: WorkerId,
    /// Host and process.
    pub name: String,
    /// Whether it claims jobs.
    pub state: WorkerState,
    /// Its devices.
    pub devices: Vec<OfferedDevice>,
    /// Slots of all its devices.
    pub slots: usize,
    /// Ids of the jobs that it is running.
    #[schema(value_type = Vec<i64>)]
    pub jobs: Vec<JobId>,
    /// Why the worker, or one of its slots, claims nothing at present.
    pub trouble: Option<String>,
    /// When it started.
    pub started_at: String,
    /// When it last reported.
    pub last_seen_at: String,
}

/// Whether a worker claims jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkerState {
    /// It claims jobs.
    Active,
    /// It finishes or hands back its jobs and claims no more.
    Draining,
    /// It has ended, or has not reported for too long.
    Gone,
}

/// A device on which a worker runs jobs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OfferedDevice {
    /// `cpu`, `cuda:0`, ...
    pub device: String,
    /// Name given by its maker; null if libtorch does not find it.
    pub name: Option<String>,
    /// Jobs that it runs at a time.
    pub slots: usize,
    /// Memory of the GPU or, for `cpu`, of the machine; null if unknown.
    pub memory_bytes: Option<u64>,
    /// Memory in use by all programs a few seconds ago.
    pub memory_used_bytes: Option<u64>,
}
