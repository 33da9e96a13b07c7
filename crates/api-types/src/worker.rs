//! Workers and their devices, and the pools of those that an engine starts.

use optlab_domain::{DeviceKind, Engine, JobId, Pilot, WorkerId};
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
    /// The engine that lent its machine; null for a worker that a person started.
    pub engine: Option<Engine>,
    /// The engine's id for it.
    pub engine_job: Option<String>,
    /// The engine's name of its machine.
    pub node: Option<String>,
    /// The pool whose pilot it is.
    pub pool: Option<String>,
    /// When its machine goes away, if that is known.
    pub until: Option<String>,
    /// Why the engine took its machine away.
    pub preempted: Option<String>,
    /// When it started.
    pub started_at: String,
    /// When it last reported.
    pub last_seen_at: String,
}

/// A set of pilots, workers that an engine starts while there are jobs for them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// The engine.
    pub engine: Engine,
    /// The devices of its pilots.
    pub device: DeviceKind,
    /// Maximum number of pilots.
    pub max_workers: i64,
    /// Its pilots, as the engine last reported them.
    pub pilots: Vec<Pilot>,
    /// Requests and pilots that failed, since the last pilot that worked.
    pub failures: i64,
    /// Until then no pilot is requested, because of these failures.
    pub paused_until: Option<String>,
    /// What failed last, or why the engine cannot be asked.
    pub trouble: Option<String>,
    /// Whether no process looks after it: neither `optlab slurm` nor a server with the pool in its settings runs.
    pub unattended: bool,
    /// When a process last looked after it.
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
