//! Slots that claim jobs and have them trained. The database is all that they share with the rest of the service.

mod attempt;
mod slot;

mod probe;
mod runner;

mod reaper;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::store::{Slot, Store};

pub use probe::{Probe, ProbeError, ProbedDevice, probe};
pub use reaper::Reaper;
pub use runner::Runner;

/// While libtorch is missing, it is looked for again this often: setting it up needs no restart.
const PROBE_AGAIN: Duration = Duration::from_secs(15);

const REPORT_EVERY: Duration = Duration::from_secs(5);

/// What a worker works with.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Number of slots; `None` for what the machine has.
    pub slots: Option<usize>,
    /// The program `optlab-runner`.
    pub runner: PathBuf,
    /// How long a job stays with a worker that is not heard of.
    pub lease: Duration,
}

/// Works until `shutdown`; then hands back what runs.
pub async fn run(store: Arc<dyn Store>, config: WorkerConfig, shutdown: CancellationToken) {
    if config.slots == Some(0) {
        return;
    }
    let Some(probe) = shutdown.run_until_cancelled(wait_for_runner(&config)).await else { return };
    let devices = probe.slots(config.slots);
    let Some(worker) = shutdown.run_until_cancelled(register(&*store, &devices)).await else { return };
    tracing::info!(worker.id = worker, slots = devices.len(), devices = devices.join(" "), "worker is ready");
    let mut tasks = JoinSet::new();
    tasks.spawn(report(store.clone(), worker, config.lease, shutdown.clone()));
    for device in devices {
        let slot = Slot { worker, device };
        tasks.spawn(slot::run(store.clone(), slot, config.clone(), shutdown.clone()));
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(panic) = ended {
            tracing::error!(%panic, "a slot is lost; its job goes back to the queue when its lease is over");
        }
    }
    if let Err(error) = store.worker_has_stopped(worker).await {
        tracing::warn!(%error, "cannot say goodbye to the store");
    }
}

async fn wait_for_runner(config: &WorkerConfig) -> Probe {
    loop {
        match probe(&config.runner).await {
            Ok(probe) => return probe,
            Err(error) => {
                tracing::warn!(
                    "no job can run here: {error}. `optlab doctor` says what to do; looking again soon"
                );
                sleep(PROBE_AGAIN).await;
            }
        }
    }
}

async fn register(store: &dyn Store, devices: &[String]) -> i64 {
    let name = format!("{}:{}", hostname(), std::process::id());
    loop {
        match store.register_worker(&name, devices).await {
            Ok(worker) => return worker,
            Err(error) => {
                tracing::warn!(%error, "cannot register at the store; trying again");
                sleep(REPORT_EVERY).await;
            }
        }
    }
}

/// Tells that the worker is alive.
async fn report(store: Arc<dyn Store>, worker: i64, lease: Duration, shutdown: CancellationToken) {
    let rounds = async {
        loop {
            if let Err(error) = store.worker_is_alive(worker).await {
                tracing::warn!(%error, "cannot report to the store");
            }
            sleep(REPORT_EVERY.min(lease / 3)).await;
        }
    };
    shutdown.run_until_cancelled(rounds).await;
}

fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    name.map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}
