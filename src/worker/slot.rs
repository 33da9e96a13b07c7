//! One slot: claims jobs and trains them, one after another. A job is claimed while the one before is written down.

use std::env;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::attempt::{Attempt, Ended};
use super::files::Files;
use super::health::{Health, Rest, Troubles};
use super::idle::Idle;
use super::leaving::Leaving;
use super::missing::Missing;
use super::probe::{PROBE_AGAIN, look_for_device, warn_once};
use super::runner::Runner;
use super::writer::Writer;
use crate::artifacts::ArtifactRoot;
use crate::config::WorkerConfig;
use crate::store::{AttemptEnd, Claim, Slot, Store};

/// Polling interval. Jobs that this process queues wake the slot at once.
const POLL: Duration = Duration::from_secs(1);
/// Delay after an error of the store.
const PAUSE: Duration = Duration::from_secs(2);

/// State shared by the slots of a worker.
#[derive(Clone)]
pub(super) struct SlotContext {
    pub(super) store: Arc<Store>,
    pub(super) artifacts: ArtifactRoot,
    pub(super) config: WorkerConfig,
    pub(super) idle: Arc<Idle>,
    pub(super) troubles: Arc<Troubles>,
    pub(super) missing: Arc<Missing>,
}

/// Works until the worker leaves. A runner serves one job after another and is replaced when it dies. `number` identifies
/// the slot within its worker.
pub(super) async fn run(context: SlotContext, number: usize, slot: Slot, leaving: Leaving) {
    let claims = &leaving.claims;
    let mut changes = context.store.changes();
    let mut runner = None;
    let mut health = Health::default();
    let mut writer = Writer::default();
    while !claims.is_cancelled() {
        changes.mark_unchanged();
        let lease_ms = context.config.training.lease.as_millis() as i64;
        let missing = context.missing.names(Instant::now());
        match context.store.claim_without(&slot, lease_ms, &missing).await {
            Ok(Some(claim)) => {
                let data = claim.spec.train.data.name.clone();
                // A resting slot is not idle, because the job that it could not run is still waiting.
                let busy = context.idle.busy();
                let span = tracing::info_span!(
                    "job",
                    experiment.id = %claim.experiment_id,
                    job.id = %claim.lease.job,
                    attempt = %claim.lease.attempt
                );
                let training = context.train(&slot, leaving.jobs.clone(), claim, runner.take());
                match training.instrument(span.clone()).await {
                    Ended::Trained(warm, attempt) => {
                        context.missing.found(&data);
                        let _ = health.after(attempt.end());
                        runner = Some(*warm);
                        writer.begin(*attempt, busy).instrument(span).await;
                    }
                    Ended::Written { runner: warm, end } => {
                        if let Some(AttemptEnd::Failed(failure)) = &end
                            && failure.of_data
                        {
                            context.missing.note(&data, &failure.error, Instant::now());
                        }
                        let rest = end.and_then(|end| health.after(&end));
                        runner = warm.map(|runner| *runner).filter(|_| rest.is_none());
                        if let Some(rest) = rest {
                            claims.run_until_cancelled(context.rest(number, &slot, rest)).await;
                        }
                    }
                }
            }
            Ok(None) => {
                let wake = timeout(POLL, changes.changed());
                claims.run_until_cancelled(wake).await;
            }
            Err(error) => {
                tracing::warn!(%error, "cannot claim a job");
                claims.run_until_cancelled(sleep(PAUSE)).await;
            }
        }
    }
    writer.finish().await;
}

impl SlotContext {
    /// Claims nothing for a while, and afterwards not until a runner finds the device.
    async fn rest(&self, number: usize, slot: &Slot, rest: Rest) {
        let Rest { time, why } = rest;
        let trouble = format!("{} rests for {} s: {why}", slot.device, time.as_secs());
        tracing::warn!("{trouble}");
        self.troubles.set(number, slot.device, trouble);
        sleep(time).await;
        let mut logged = None;
        let runner = &self.config.training.runner.program;
        while let Err(trouble) = look_for_device(runner, slot.device).await {
            warn_once(&mut logged, &trouble);
            self.troubles.set(number, slot.device, trouble);
            sleep(PROBE_AGAIN).await;
        }
        self.troubles.clear(number);
    }

    /// One attempt, which is handed back at `stop`.
    async fn train(&self, slot: &Slot, stop: CancellationToken, claim: Claim, idle: Option<Runner>) -> Ended {
        let lease = claim.lease;
        let (runner, files) = match self.prepare(&claim, idle) {
            Ok(prepared) => prepared,
            Err(error) => {
                tracing::error!("This machine cannot start the attempt: {error}. The job is requeued");
                let end = AttemptEnd::machine_fault(error.to_string());
                if let Err(error) = self.store.end(lease, end.clone()).await {
                    tracing::warn!(%error, "cannot end the attempt; it ends when its lease expires");
                }
                return Ended::Written { runner: None, end: Some(end) };
            }
        };
        let (arm, seed) = (&claim.spec.arm, claim.spec.seed);
        tracing::info!(arm, seed, device = %slot.device, runner.pid = runner.pid(), "started");
        Attempt::new(self.store.clone(), claim, slot.device, files, &self.config.training, stop)
            .run(runner)
            .await
    }

    /// The runner and the files of an attempt.
    fn prepare(&self, claim: &Claim, idle: Option<Runner>) -> Result<(Runner, Files), PrepareError> {
        let precision = claim.spec.train.precision;
        let fitting = idle.filter(|runner| runner.fits(precision));
        let program = &self.config.training.runner.program;
        let runner = fitting
            .map_or_else(|| Runner::start(program, precision), Ok)
            .map_err(|source| PrepareError::Runner { program: program.clone(), source })?;
        let files = Files::new(self.artifacts.clone(), claim.lease)
            .map_err(|source| PrepareError::Folder { parent: env::temp_dir(), source })?;
        Ok((runner, files))
    }
}

/// The reason why this machine cannot start an attempt.
#[derive(Debug, thiserror::Error)]
enum PrepareError {
    #[error("{} does not start: {source}", program.display())]
    Runner { program: PathBuf, source: io::Error },
    #[error("no folder for the job's files can be made in {}, the folder of TMPDIR: {source}", parent.display())]
    Folder { parent: PathBuf, source: io::Error },
}
