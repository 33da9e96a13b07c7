//! One attempt at a job: what the runner says goes into the store, what people want goes to the runner.
//!
//! Order of writes: every point of a run is stored before its checkpoint or its end is. What the store does not take at
//! once is tried again until the lease is over; then the job belongs to somebody else, and the runner is stopped.

use std::io::{self, Write};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use optlab_spec::protocol::{self, Command, EndReason, Event, Failure, Point, Run, Summary};
use serde::Serialize;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::files::{Files, LOG};
use super::runner::Runner;
use crate::artifacts::ArtifactError;
use crate::store::{Artifact, ArtifactKind, AttemptEnd, Claim, JobState, Store, StoreError, Wish};

/// Between two tries of a write.
const RETRY: Duration = Duration::from_millis(200);
/// A runner looks for commands between two steps; one that takes longer to stop is killed.
pub const LONGEST_STOP: Duration = Duration::from_secs(20);

/// An attempt under way.
pub(super) struct Attempt {
    store: Arc<dyn Store>,
    claim: Claim,
    device: String,
    files: Arc<Files>,
    lease: Duration,
    lease_until: Instant,
    shutdown: CancellationToken,
    /// What the runner was started from.
    resumed: Option<Artifact>,
    /// Whether the runner has begun with the job.
    started: bool,
    /// Completed updates.
    step: u64,
    /// Points that the runner has sent and the store has yet to take.
    pending: Vec<Point>,
    /// Why the runner was told to stop, and when it is killed.
    stopping: Option<(Stop, Instant)>,
}

/// Why a runner is told to stop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// For good.
    Cancel,
    /// For now, by a person's wish or because the worker stops.
    Pause,
}

/// What is left of the slot after an attempt.
pub(super) enum After {
    /// A runner that can train another job.
    Runner(Box<Runner>),
    /// A place for a new one.
    Nothing,
    /// A runner could not even begin, which is no fault of the job: something is wrong with this machine.
    Trouble,
}

/// What happens next in an attempt.
enum Next {
    Event(io::Result<Option<Event>>),
    Heartbeat,
    TimeLimit,
    Kill,
    Shutdown,
}

/// How the conversation with the runner ended.
enum Outcome {
    /// By its own word.
    Said(AttemptEnd),
    /// It died, or what it says makes no sense.
    Died,
    /// It was stopped.
    Stopped(AttemptEnd),
}

impl Attempt {
    pub(super) fn new(
        store: Arc<dyn Store>,
        claim: Claim,
        device: String,
        files: Files,
        lease: Duration,
        shutdown: CancellationToken,
    ) -> Self {
        let lease_until = Instant::now() + lease;
        Self {
            store,
            claim,
            device,
            files: Arc::new(files),
            lease,
            lease_until,
            shutdown,
            resumed: None,
            started: false,
            step: 0,
            pending: Vec::new(),
            stopping: None,
        }
    }

    /// Sees the attempt through.
    pub(super) async fn run(mut self, mut runner: Runner) -> After {
        match self.files.log() {
            Ok(log) => runner.log_to(log),
            Err(error) => tracing::error!(%error, "the job has no log"),
        }
        let outcome = match self.converse(&mut runner).await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::warn!(%error, "gave the attempt up");
                return After::Nothing;
            }
        };
        let (end, after) = match outcome {
            Outcome::Said(end) => (end, After::Runner(Box::new(runner))),
            Outcome::Stopped(end) => (end, After::Nothing),
            Outcome::Died => (crashed(runner.obituary().await), After::Nothing),
        };
        let (end, after) = if self.is_trouble(&end) {
            tracing::error!(?end, "the runner could not begin; the job goes back to the queue");
            (AttemptEnd::HandedBack, After::Trouble)
        } else {
            (end, after)
        };
        match self.end(end).await {
            Ok(state) => tracing::info!(job.state = state.as_str(), "ended"),
            Err(error) => tracing::warn!(%error, "cannot end the attempt; its lease will"),
        }
        after
    }

    /// Whether the runner ended before it began: it looks at its machine then, not at the job. One that was to go on from
    /// a checkpoint may have stumbled over that.
    fn is_trouble(&self, end: &AttemptEnd) -> bool {
        let failed = match end {
            AttemptEnd::Failed(failure) => {
                matches!(failure.reason, EndReason::UserError | EndReason::RunnerCrashed)
            }
            AttemptEnd::Finished(_) | AttemptEnd::HandedBack => false,
        };
        failed && !self.started && self.resumed.is_none()
    }

    /// Until the runner has said how the job ended, or cannot any more.
    async fn converse(&mut self, runner: &mut Runner) -> Result<Outcome, StoreError> {
        let time_limit = Instant::now() + Duration::from_secs(self.claim.time_limit_seconds as u64);
        let resume = self.files.resume(&self.claim.checkpoints).await;
        let (resumed, resume_from) = resume.unzip();
        self.resumed = resumed;
        let run = Run {
            job: self.claim.lease.job,
            attempt: self.claim.lease.attempt,
            device: self.device.clone(),
            spec: self.claim.spec.clone(),
            artifact_dir: Some(self.files.folder().to_owned()),
            resume_from,
        };
        if runner.send(&Command::Run(Box::new(run))).await.is_err() {
            return Ok(Outcome::Died);
        }
        loop {
            let heartbeat = self.heartbeat();
            let kill_at = self.stopping.map(|(_, kill_at)| kill_at);
            let next = tokio::select! {
                event = runner.next_event() => Next::Event(event),
                () = sleep_until(heartbeat) => Next::Heartbeat,
                () = sleep_until(time_limit) => Next::TimeLimit,
                () = sleep_until(kill_at.unwrap_or(time_limit)), if kill_at.is_some() => Next::Kill,
                () = self.shutdown.cancelled(), if kill_at.is_none() => Next::Shutdown,
            };
            match next {
                Next::Event(Ok(Some(event))) => {
                    if let Some(outcome) = self.take(event, runner).await? {
                        return Ok(outcome);
                    }
                }
                Next::Event(Ok(None)) => return Ok(Outcome::Died),
                Next::Event(Err(error)) => {
                    tracing::error!(%error, "unreadable event");
                    return Ok(Outcome::Died);
                }
                Next::Heartbeat => self.record(None, runner).await?,
                Next::TimeLimit => {
                    let error = format!("longer than time_limit_seconds = {}", self.claim.time_limit_seconds);
                    return Ok(Outcome::Stopped(failed(EndReason::TimedOut, error)));
                }
                Next::Kill if self.stopping.is_some_and(|(why, _)| why == Stop::Cancel) => {
                    let error = "the runner did not stop by itself and was killed".to_owned();
                    return Ok(Outcome::Stopped(failed(EndReason::Cancelled, error)));
                }
                // The job goes on from its last checkpoint.
                Next::Kill => return Ok(Outcome::Stopped(AttemptEnd::HandedBack)),
                Next::Shutdown => self.stop(Stop::Pause, runner).await,
            }
        }
    }

    fn heartbeat(&self) -> Instant {
        self.lease_until - self.lease * 2 / 3
    }

    /// Acts on one event; returns the outcome, where it was the last one.
    async fn take(&mut self, event: Event, runner: &mut Runner) -> Result<Option<Outcome>, StoreError> {
        match event {
            Event::Started { step, environment, steps } => {
                self.started = true;
                let (store, lease) = (self.store.clone(), self.claim.lease);
                self.persist(|| store.start(lease, &environment, step, steps)).await?;
                let spec = self.claim.spec.clone();
                self.keep_text("spec.json", ArtifactKind::Spec, &spec).await?;
                self.keep_text("environment.json", ArtifactKind::Environment, &environment).await?;
            }
            Event::Metrics { points } => self.pending.extend(points),
            // A runner follows each batch of points by its progress: both are one write.
            Event::Progress { step, .. } => self.record(Some(step), runner).await?,
            Event::Checkpoint { step, file, sha256, bytes } => {
                let written = protocol::Artifact { file, sha256, bytes };
                self.record(Some(step), runner).await?;
                self.keep(&written, ArtifactKind::Checkpoint, step).await?;
                self.keep_log(step).await?;
            }
            Event::Log { message } => {
                tracing::info!("{message}");
                if let Ok(mut log) = self.files.log() {
                    let _ = writeln!(log, "{message}");
                }
            }
            Event::Paused { .. } => return Ok(Some(Outcome::Said(AttemptEnd::HandedBack))),
            Event::Finished { summary } => return Ok(Some(Outcome::Said(AttemptEnd::Finished(summary)))),
            Event::Failed(failure) => {
                tracing::warn!(reason = failure.reason.as_str(), "failed: {}", failure.error);
                return Ok(Some(match failure.reason {
                    // It had time for a last word; what it crashed of may be gone at the next attempt.
                    EndReason::RunnerCrashed => Outcome::Stopped(AttemptEnd::Failed(failure)),
                    _ => Outcome::Said(AttemptEnd::Failed(failure)),
                }));
            }
        }
        Ok(None)
    }

    /// Stores what is pending, prolongs the lease, and passes a wish on.
    async fn record(&mut self, step: Option<u64>, runner: &mut Runner) -> Result<(), StoreError> {
        match self.store_pending(step).await? {
            Some(Wish::Cancel) => self.stop(Stop::Cancel, runner).await,
            Some(Wish::Pause) => self.stop(Stop::Pause, runner).await,
            None => {}
        }
        Ok(())
    }

    /// Tells the runner once; to cancel goes before to pause.
    async fn stop(&mut self, why: Stop, runner: &mut Runner) {
        let told = self.stopping.map(|(told, _)| told);
        if told == Some(why) || told == Some(Stop::Cancel) {
            return;
        }
        self.stopping = Some((why, Instant::now() + LONGEST_STOP));
        let command = match why {
            Stop::Cancel => Command::Cancel,
            Stop::Pause => Command::Pause,
        };
        tracing::info!(?command, "the runner is told to stop");
        // A runner that is gone is noticed by its events.
        let _ = runner.send(&command).await;
    }

    async fn store_pending(&mut self, step: Option<u64>) -> Result<Option<Wish>, StoreError> {
        self.step = step.unwrap_or(self.step);
        let points = std::mem::take(&mut self.pending);
        let (store, lease, lease_ms) = (self.store.clone(), self.claim.lease, self.lease.as_millis() as i64);
        let asked = Instant::now();
        let wish = self.persist(|| store.record(lease, &points, step, lease_ms)).await?;
        // Counted from before the write, so that this side never believes in the lease longer than the store does.
        self.lease_until = asked + self.lease;
        Ok(wish)
    }

    async fn end(&mut self, end: AttemptEnd) -> Result<JobState, StoreError> {
        if matches!(end, AttemptEnd::Finished(_) | AttemptEnd::Failed(_)) {
            self.store_pending(None).await?;
        }
        match &end {
            AttemptEnd::Finished(Summary { weights: Some(weights), .. }) => {
                let steps = self.claim.spec.train.total_steps();
                self.keep(weights, ArtifactKind::Weights, steps).await?;
            }
            // What could not be gone on from is not tried again.
            AttemptEnd::Failed(_) if !self.started => {
                if let Some(checkpoint) = &self.resumed {
                    self.store.forget_artifact(self.claim.lease.job, checkpoint).await?;
                }
            }
            _ => {}
        }
        self.keep_log(self.step).await?;
        let (store, lease) = (self.store.clone(), self.claim.lease);
        self.persist(|| store.end(lease, end.clone())).await
    }

    /// Stores a file and then its row. One that cannot be stored costs the job only that: it trains on.
    async fn keep(
        &mut self,
        written: &protocol::Artifact,
        kind: ArtifactKind,
        step: u64,
    ) -> Result<(), StoreError> {
        match self.upload(&written.file, kind, step).await? {
            Ok(artifact) if artifact.sha256 == written.sha256 => {
                let (store, lease) = (self.store.clone(), self.claim.lease);
                self.persist(|| store.add_artifact(lease, &artifact)).await?;
            }
            Ok(artifact) => {
                tracing::error!(artifact.path, "the file has changed since the runner wrote it; not kept");
            }
            // The runner keeps the last two checkpoints and does not wait for slow storage.
            Err(ArtifactError::File { source, .. })
                if kind == ArtifactKind::Checkpoint && source.kind() == io::ErrorKind::NotFound =>
            {
                tracing::debug!(step, "overtaken by a newer checkpoint");
            }
            Err(error) => tracing::error!(%error, "the file is not kept"),
        }
        Ok(())
    }

    /// Stores the log as it is now.
    async fn keep_log(&mut self, step: u64) -> Result<(), StoreError> {
        match self.upload(LOG, ArtifactKind::Log, step).await? {
            Ok(artifact) => {
                let (store, lease) = (self.store.clone(), self.claim.lease);
                self.persist(|| store.add_artifact(lease, &artifact)).await
            }
            Err(error) => {
                tracing::error!(%error, "the log is not kept");
                Ok(())
            }
        }
    }

    async fn keep_text(
        &mut self,
        file: &str,
        kind: ArtifactKind,
        content: &impl Serialize,
    ) -> Result<(), StoreError> {
        let written = self.files.write(file, &serde_json::to_vec_pretty(content)?);
        match written {
            Ok(written) => self.keep(&written, kind, 0).await,
            Err(error) => {
                tracing::error!(%error, file, "the file is not kept");
                Ok(())
            }
        }
    }

    /// Uploads a file and prolongs the lease meanwhile, however long it takes.
    async fn upload(
        &mut self,
        file: &str,
        kind: ArtifactKind,
        step: u64,
    ) -> Result<Result<Artifact, ArtifactError>, StoreError> {
        let files = self.files.clone();
        let mut uploaded = pin!(files.keep(file, kind, step));
        loop {
            tokio::select! {
                uploaded = &mut uploaded => return Ok(uploaded),
                // A wish is told again at the next write.
                () = sleep_until(self.heartbeat()) => { self.store_pending(None).await?; }
            }
        }
    }

    /// Tries a write until it succeeds or the lease is over or lost.
    async fn persist<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        write: impl Fn() -> F,
    ) -> Result<T, StoreError> {
        loop {
            match write().await {
                Err(error)
                    if !matches!(error, StoreError::LeaseLost { .. })
                        && Instant::now() < self.lease_until =>
                {
                    tracing::warn!(%error, "the store does not take a write; trying again");
                    sleep(RETRY).await;
                }
                result => return result,
            }
        }
    }
}

fn crashed(error: String) -> AttemptEnd {
    failed(EndReason::RunnerCrashed, error)
}

fn failed(reason: EndReason, error: String) -> AttemptEnd {
    AttemptEnd::Failed(Failure { reason, series: None, step: None, error })
}
