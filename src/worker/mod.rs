//! Slots that claim jobs and have them trained. The database is all that they share with the rest of the service.

mod attempt;
mod slot;

mod probe;
mod runner;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::store::{Slot, Store, StoreError};

pub use probe::{Probe, ProbeError, ProbedDevice, probe};
pub use runner::Runner;

/// While libtorch is missing, it is looked for again this often: setting it up needs no restart.
const PROBE_AGAIN: Duration = Duration::from_secs(15);

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
///
/// # Errors
/// Where the worker cannot be registered; afterwards trouble with the store is waited out.
pub async fn run(
    store: Arc<dyn Store>,
    config: WorkerConfig,
    shutdown: CancellationToken,
) -> Result<(), StoreError> {
    if config.slots == Some(0) {
        return Ok(());
    }
    let Some(probe) = shutdown.run_until_cancelled(wait_for_runner(&config)).await else { return Ok(()) };
    let devices = probe.slots(config.slots);
    let name = format!("{}:{}", hostname(), std::process::id());
    let worker = store.register_worker(&name, &devices).await?;
    tracing::info!(worker.id = worker, slots = devices.len(), devices = devices.join(" "), "worker is ready");
    let tasks = TaskTracker::new();
    for device in devices {
        let slot = Slot { worker, device };
        tasks.spawn(slot::run(store.clone(), slot, config.clone(), shutdown.clone()));
    }
    tasks.spawn(watch_over(store.clone(), worker, config.lease, shutdown));
    tasks.close();
    tasks.wait().await;
    store.worker_has_stopped(worker).await
}

async fn wait_for_runner(config: &WorkerConfig) -> Probe {
    loop {
        match probe(&config.runner).await {
            Ok(probe) => return probe,
            Err(error) => {
                tracing::warn!(
                    "no job can run here: {error}. `optlab doctor` says what to do; looking again soon"
                );
                tokio::time::sleep(PROBE_AGAIN).await;
            }
        }
    }
}

/// Tells that the worker is alive, and takes back the jobs of workers that are not.
async fn watch_over(store: Arc<dyn Store>, worker: i64, lease: Duration, shutdown: CancellationToken) {
    let rounds = async {
        loop {
            if let Err(error) = store.worker_is_alive(worker).await {
                tracing::warn!(%error, "cannot report to the store");
            }
            match store.reap().await {
                Ok(lost) => {
                    for lease in lost {
                        tracing::warn!(
                            job.id = lease.job,
                            attempt = lease.attempt,
                            "took the job of a lost worker back"
                        );
                    }
                }
                Err(error) => tracing::warn!(%error, "cannot look for lost jobs"),
            }
            tokio::time::sleep(lease / 3).await;
        }
    };
    shutdown.run_until_cancelled(rounds).await;
}

fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    name.map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}
