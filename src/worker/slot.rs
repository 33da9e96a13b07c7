//! One slot: claim a job, have it trained, and again.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::attempt::{After, Attempt};
use super::files::Files;
use super::idle::Idle;
use super::runner::Runner;
use super::{Drain, PROBE_AGAIN, WorkerConfig, wait_for_runner};
use crate::artifacts::ArtifactRoot;
use crate::store::{AttemptEnd, Claim, Slot, Store};

/// The store wakes a slot when something is queued in this process; other processes are found by asking.
const POLL: Duration = Duration::from_secs(1);
/// After trouble with the store.
const PAUSE: Duration = Duration::from_secs(2);

/// What the slots of a worker share.
pub(super) struct Place {
    pub(super) store: Arc<dyn Store>,
    pub(super) artifacts: ArtifactRoot,
    pub(super) config: WorkerConfig,
    pub(super) idle: Arc<Idle>,
}

/// Works until `stop`. A runner serves one job after another and is replaced when it dies.
pub(super) async fn run(place: Place, slot: Slot, stop: CancellationToken) {
    let mut changes = place.store.changes();
    let mut runner = None;
    while !stop.is_cancelled() {
        changes.mark_unchanged();
        match place.store.claim(&slot, place.config.lease.as_millis() as i64).await {
            Ok(Some(claim)) => {
                let _busy = place.idle.busy();
                let span = tracing::info_span!(
                    "job",
                    experiment.id = claim.experiment_id,
                    job.id = claim.lease.job,
                    attempt = claim.lease.attempt
                );
                let after = place.train(&slot, &stop, claim, runner.take()).instrument(span).await;
                match after {
                    After::Runner(idle) => runner = Some(*idle),
                    After::Nothing => {}
                    After::Trouble => {
                        stop.run_until_cancelled(recover(&place.config)).await;
                    }
                }
            }
            Ok(None) => {
                let wake = timeout(POLL, changes.changed());
                stop.run_until_cancelled(wake).await;
            }
            Err(error) => {
                tracing::warn!(%error, "cannot claim a job");
                stop.run_until_cancelled(sleep(PAUSE)).await;
            }
        }
    }
}

/// A machine on which runners cannot begin must not go through the whole queue.
async fn recover(config: &WorkerConfig) {
    sleep(PROBE_AGAIN).await;
    wait_for_runner(config).await;
}

impl Place {
    /// One attempt.
    async fn train(
        &self,
        slot: &Slot,
        stop: &CancellationToken,
        claim: Claim,
        idle: Option<Runner>,
    ) -> After {
        let lease = claim.lease;
        let (runner, files) = match self.prepare(&claim, idle) {
            Ok(prepared) => prepared,
            Err(error) => {
                tracing::error!("nothing can begin here: {error}. The job goes back to the queue");
                if let Err(error) = self.store.end(lease, AttemptEnd::machine_fault(error)).await {
                    tracing::warn!(%error, "cannot end the attempt; its lease will");
                }
                return After::Trouble;
            }
        };
        let (arm, seed) = (&claim.spec.arm, claim.spec.seed);
        tracing::info!(arm, seed, device = slot.device, runner.pid = runner.pid(), "started");
        let stop = match self.config.drain {
            Drain::Checkpoint => stop.clone(),
            // Nothing but its own end stops the attempt.
            Drain::Finish => CancellationToken::new(),
        };
        Attempt::new(self.store.clone(), claim, slot.device.clone(), files, self.config.lease, stop)
            .run(runner)
            .await
    }

    /// The runner and the files of an attempt, or what this machine lacks.
    fn prepare(&self, claim: &Claim, idle: Option<Runner>) -> Result<(Runner, Files), String> {
        let precision = claim.spec.train.precision;
        let fitting = idle.filter(|runner| runner.fits(precision));
        let program = &self.config.runner;
        let runner = fitting
            .map_or_else(|| Runner::start(program, precision), Ok)
            .map_err(|error| format!("{} does not start: {error}", program.display()))?;
        let files = Files::new(self.artifacts.clone(), claim.lease).map_err(|error| {
            let place = env::temp_dir();
            format!(
                "no folder for the job's files can be made in {}, where TMPDIR leads: {error}",
                place.display()
            )
        })?;
        Ok((runner, files))
    }
}
