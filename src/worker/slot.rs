//! One slot: claim a job, have it trained, and again.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::WorkerConfig;
use super::attempt::Attempt;
use super::runner::Runner;
use crate::store::{AttemptEnd, Claim, Slot, Store};

/// The store wakes a slot when something is queued in this process; other processes are found by asking.
const POLL: Duration = Duration::from_secs(1);
/// After trouble with the store or the runner.
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
                runner = train(&store, &slot, &config, &shutdown, claim, runner).instrument(span).await;
            }
            Ok(None) => {
                let wake = tokio::time::timeout(POLL, changes.changed());
                shutdown.run_until_cancelled(wake).await;
            }
            Err(error) => {
                tracing::warn!(%error, "cannot claim a job");
                shutdown.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            }
        }
    }
}

/// One attempt; returns the runner where it can serve another.
async fn train(
    store: &Arc<dyn Store>,
    slot: &Slot,
    config: &WorkerConfig,
    shutdown: &CancellationToken,
    claim: Claim,
    idle: Option<Runner>,
) -> Option<Runner> {
    let (lease, arm, seed) = (claim.lease, claim.spec.arm.clone(), claim.spec.seed);
    let runner = match idle.map_or_else(|| Runner::start(&config.runner), Ok) {
        Ok(runner) => runner,
        Err(error) => {
            tracing::error!(%error, "the runner does not start");
            let end = AttemptEnd::Crashed(format!("the runner does not start: {error}"));
            if let Err(error) = store.end(lease, end).await {
                tracing::warn!(%error, "cannot end the attempt; its lease will");
            }
            tokio::time::sleep(PAUSE).await;
            return None;
        }
    };
    tracing::info!(arm, seed, device = slot.device, runner.pid = runner.pid(), "started");
    let device = slot.device.clone();
    Attempt::new(store.clone(), claim, device, config.lease, shutdown.clone()).run(runner).await
}
