//! One slot: claim a job, have it trained, and again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::attempt::{After, Attempt};
use super::runner::Runner;
use super::{PROBE_AGAIN, WorkerConfig, wait_for_runner};
use crate::store::{AttemptEnd, Claim, Slot, Store};

/// The store wakes a slot when something is queued in this process; other processes are found by asking.
const POLL: Duration = Duration::from_secs(1);
/// After trouble with the store.
const PAUSE: Duration = Duration::from_secs(2);

/// Works until `shutdown`. A runner serves one job after another and is replaced when it dies.
pub(super) async fn run(
    store: Arc<dyn Store>,
    slot: Slot,
    config: WorkerConfig,
    shutdown: CancellationToken,
) {
    let mut changes = store.changes();
    let mut runner = None;
    while !shutdown.is_cancelled() {
        changes.mark_unchanged();
        match store.claim(&slot, config.lease.as_millis() as i64).await {
            Ok(Some(claim)) => {
                let span = tracing::info_span!(
                    "attempt",
                    job.id = claim.lease.job,
                    experiment.id = claim.experiment_id,
                    number = claim.lease.attempt
                );
                let after =
                    train(&store, &slot, &config, &shutdown, claim, runner.take()).instrument(span).await;
                match after {
                    After::Runner(idle) => runner = Some(*idle),
                    After::Nothing => {}
                    After::Trouble => {
                        shutdown.run_until_cancelled(recover(&config)).await;
                    }
                }
            }
            Ok(None) => {
                let wake = timeout(POLL, changes.changed());
                shutdown.run_until_cancelled(wake).await;
            }
            Err(error) => {
                tracing::warn!(%error, "cannot claim a job");
                shutdown.run_until_cancelled(sleep(PAUSE)).await;
            }
        }
    }
}

/// A machine on which runners cannot begin must not go through the whole queue.
async fn recover(config: &WorkerConfig) {
    sleep(PROBE_AGAIN).await;
    wait_for_runner(config).await;
}

/// One attempt.
async fn train(
    store: &Arc<dyn Store>,
    slot: &Slot,
    config: &WorkerConfig,
    shutdown: &CancellationToken,
    claim: Claim,
    idle: Option<Runner>,
) -> After {
    let precision = claim.spec.train.precision;
    let fitting = idle.filter(|runner| runner.fits(precision));
    let runner = match fitting.map_or_else(|| Runner::start(&config.runner, precision), Ok) {
        Ok(runner) => runner,
        Err(error) => {
            tracing::error!(%error, "the runner does not start; the job goes back to the queue");
            if let Err(error) = store.end(claim.lease, AttemptEnd::HandedBack).await {
                tracing::warn!(%error, "cannot end the attempt; its lease will");
            }
            return After::Trouble;
        }
    };
    let (arm, seed) = (&claim.spec.arm, claim.spec.seed);
    tracing::info!(arm, seed, device = slot.device, runner.pid = runner.pid(), "started");
    let device = slot.device.clone();
    Attempt::new(store.clone(), claim, device, config.lease, shutdown.clone()).run(runner).await
}
