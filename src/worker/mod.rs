//! Slots that claim jobs and train them in runners. They share only the database with the rest of the service.

mod attempt;
mod files;
mod health;
mod idle;
mod leaving;
mod missing;
mod slot;
mod writer;

mod devices;
mod log;
mod probe;
mod runner;
mod text;

mod reaper;
mod sweeper;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use optlab_domain::{Device, WorkerId};
use optlab_spec::protocol::Probe;
use rustix::system::uname;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::artifacts::ArtifactRoot;
use crate::config::{Slots, WorkerConfig};
use crate::store::{Origin, Slot, Store};

use devices::Devices;
use health::Troubles;
use idle::Idle;
use leaving::Leaving;
use missing::Missing;
use probe::{PROBE_AGAIN, look_for_devices, warn_once};
use slot::SlotContext;

pub use attempt::LONGEST_STOP;
pub use devices::memories;
pub use probe::{ProbeError, probe};
pub use reaper::Reaper;
pub use runner::Runner;
pub use sweeper::{Sweeps, sweep};

const REPORT_EVERY: Duration = Duration::from_secs(5);

/// Delay before a slot that has panicked starts again.
const RESTART: Duration = Duration::from_secs(5);

/// Works until `shutdown`, until a drain is requested, or until it has been idle for long enough. Running jobs are then
/// handed back or finished. Handing them back takes at most a training step and a checkpoint, or [`LONGEST_STOP`].
pub async fn run(
    store: Arc<Store>,
    artifacts: ArtifactRoot,
    config: WorkerConfig,
    shutdown: CancellationToken,
) {
    if config.slots == Slots::Count(Some(0)) {
        return;
    }
    files::remove_abandoned();
    let Some(worker) = shutdown.run_until_cancelled(register(&store, &config.origin)).await else { return };
    let probe = shutdown.run_until_cancelled(wait_for_runner(&store, worker, &config)).await.flatten();
    if let Some(probe) = probe {
        let context = SlotContext {
            store: store.clone(),
            artifacts,
            config,
            idle: Arc::new(Idle::new()),
            troubles: Arc::new(Troubles::default()),
            missing: Arc::new(Missing::default()),
        };
        work(context, worker, &probe, &shutdown).await;
    }
    if let Err(error) = store.deregister_worker(worker).await {
        tracing::warn!(%error, "cannot report the end of the worker to the store");
    }
}

async fn work(context: SlotContext, worker: WorkerId, probe: &Probe, shutdown: &CancellationToken) {
    let slots = context.config.slots.devices(probe);
    let devices = Devices::new(probe, &slots);
    let names: Vec<String> = slots.iter().map(Device::to_string).collect();
    tracing::info!(worker.id = %worker, slots = slots.len(), devices = names.join(" "), "worker is ready");
    let leaving = Leaving::of(&context.config, shutdown);
    let reporter = Reporter { context: context.clone(), worker, devices };
    // Reports continue until the slots have ended, also while running jobs are finished during a drain.
    let done = CancellationToken::new();
    let reports = tokio::spawn(reporter.run(leaving.clone(), done.clone()));
    let slots = slots.into_iter().map(|device| Slot { worker, device }).enumerate();
    join_all(slots.map(|(number, slot)| run_slot(&context, number, slot, &leaving))).await;
    done.cancel();
    if let Err(panic) = reports.await {
        tracing::error!(%panic, "the heartbeats of the worker have failed");
    }
}

/// Runs a slot until the worker leaves, and starts it again after a panic.
async fn run_slot(context: &SlotContext, number: usize, slot: Slot, leaving: &Leaving) {
    let run = || tokio::spawn(slot::run(context.clone(), number, slot.clone(), leaving.clone()));
    while let Err(panic) = run().await {
        tracing::error!(%panic, slot = number, "a slot has panicked; its job is requeued when its lease expires");
        leaving.claims.run_until_cancelled(sleep(RESTART)).await;
    }
}

/// Waits until a runner with devices for the slots starts on this machine. Returns `None` if a drain is requested first,
/// or if the worker is idle for too long.
async fn wait_for_runner(store: &Store, worker: WorkerId, config: &WorkerConfig) -> Option<Probe> {
    let (began, mut logged) = (Instant::now(), None);
    loop {
        let trouble = match look_for_devices(&config.training.runner.program, &config.slots).await {
            Ok(probe) => return Some(probe),
            Err(trouble) => trouble,
        };
        warn_once(&mut logged, &trouble);
        match store.record_heartbeat(worker, &[], Some(&trouble)).await {
            Ok(true) => {
                tracing::info!("a drain was requested");
                return None;
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "cannot report to the store"),
        }
        if config.exit_when_idle.is_some_and(|longest| began.elapsed() >= longest) {
            tracing::info!("stopping, because the worker is idle");
            return None;
        }
        sleep(PROBE_AGAIN).await;
    }
}

/// Registers the worker without devices, which are known only after the probe.
async fn register(store: &Store, origin: &Origin) -> WorkerId {
    let name = format!("{}:{}", uname().nodename().to_string_lossy(), std::process::id());
    loop {
        match store.register_worker(&name, &[], origin).await {
            Ok(worker) => return worker,
            Err(error) => {
                tracing::warn!(%error, "cannot register with the store; retrying");
                sleep(REPORT_EVERY).await;
            }
        }
    }
}

/// Reports a worker to the store.
struct Reporter {
    context: SlotContext,
    worker: WorkerId,
    devices: Devices,
}

impl Reporter {
    /// Sends heartbeats with the state of the devices until `done`. Stops the worker when a drain was requested or it has
    /// been idle for too long.
    async fn run(self, leaving: Leaving, done: CancellationToken) {
        let mut drains = false;
        while !done.is_cancelled() {
            self.report(&leaving).await;
            if leaving.claims.is_cancelled() && !drains {
                drains = self.drain().await;
            }
            let pause = sleep(REPORT_EVERY.min(self.context.config.training.lease / 3));
            tokio::select! {
                () = pause => {}
                () = done.cancelled() => {}
                () = leaving.claims.cancelled(), if !leaving.claims.is_cancelled() => {}
            }
        }
    }

    /// Shows that the worker claims no more jobs; returns whether that was stored.
    async fn drain(&self) -> bool {
        let drained = self.context.store.drain_worker(self.worker).await;
        drained.inspect_err(|error| tracing::warn!(%error, "cannot report to the store")).is_ok()
    }

    async fn report(&self, Leaving { stop, claims, .. }: &Leaving) {
        let SlotContext { store, config, idle, troubles, missing, .. } = &self.context;
        let devices = block_in_place(|| self.devices.now(|device| troubles.resting(device)));
        let reasons: Vec<String> =
            troubles.reasons().into_iter().chain(missing.reasons(Instant::now())).collect();
        let trouble = (!reasons.is_empty()).then(|| reasons.join("; "));
        match store.record_heartbeat(self.worker, &devices, trouble.as_deref()).await {
            // Before its machine goes away, the worker drains itself, and its jobs still have some time.
            Ok(true) if !claims.is_cancelled() => {
                tracing::info!("a drain was requested");
                stop.cancel();
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "cannot report to the store"),
        }
        let longest = config.exit_when_idle;
        // A worker whose jobs wait for their data is not idle.
        let waits = !missing.names(Instant::now()).is_empty();
        let is_idle = !waits && longest.is_some_and(|longest| idle.lasts() >= longest);
        if !stop.is_cancelled() && is_idle {
            tracing::info!("stopping, because the worker is idle");
            stop.cancel();
        }
    }
}
