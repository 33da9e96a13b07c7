//! One attempt at a job: what the runner says goes into the store, what people want goes to the runner.
//!
//! Order of writes: every point of a run is stored before its end is. What the store does not take at once is tried
//! again until the lease is over; then the job belongs to somebody else, and the runner is stopped.

use std::sync::Arc;
use std::time::Duration;

use optlab_spec::protocol::{Command, EndReason, Event, Failure, Point, Run};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::runner::Runner;
use crate::store::{AttemptEnd, Claim, JobState, Store, StoreError, Wish};

/// Between two tries of a write.
const RETRY: Duration = Duration::from_millis(200);
/// A runner looks for commands between two steps; one that takes longer to stop is killed.
const PATIENCE: Duration = Duration::from_secs(20);

/// An attempt under way.
pub(super) struct Attempt {
    store: Arc<dyn Store>,
    claim: Claim,
    device: String,
    lease: Duration,
    lease_until: Instant,
    shutdown: CancellationToken,
    /// Whether the runner has begun with the job.
    started: bool,
    /// Points that the runner has sent and the store has yet to take.
    pending: Vec<Point>,
    /// When a runner that was told to stop is killed.
    kill_at: Option<Instant>,
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
    Event(std::io::Result<Option<Event>>),
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
        lease: Duration,
        shutdown: CancellationToken,
    ) -> Self {
        let lease_until = Instant::now() + lease;
        Self {
            store,
            claim,
            device,
            lease,
            lease_until,
            shutdown,
            started: false,
            pending: Vec::new(),
            kill_at: None,
        }
    }

    /// Sees the attempt through.
    pub(super) async fn run(mut self, mut runner: Runner) -> After {
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

    /// Whether the runner ended before it began: it looks at its machine then, not at the job.
    fn is_trouble(&self, end: &AttemptEnd) -> bool {
        let failed = match end {
            AttemptEnd::Failed(failure) => {
                matches!(failure.reason, EndReason::UserError | EndReason::RunnerCrashed)
            }
            AttemptEnd::Finished(_) | AttemptEnd::HandedBack => false,
        };
        failed && !self.started
    }

    /// Until the runner has said how the job ended, or cannot any more.
    async fn converse(&mut self, runner: &mut Runner) -> Result<Outcome, StoreError> {
        let time_limit = Instant::now() + Duration::from_secs(self.claim.time_limit_seconds as u64);
        let run = Run {
            job: self.claim.lease.job,
            attempt: self.claim.lease.attempt,
            device: self.device.clone(),
            spec: self.claim.spec.clone(),
            artifact_dir: None,
        };
        if runner.send(&Command::Run(Box::new(run))).await.is_err() {
            return Ok(Outcome::Died);
        }
        loop {
            let heartbeat = self.lease_until - self.lease * 2 / 3;
            let kill_at = self.kill_at;
            let next = tokio::select! {
                event = runner.next_event() => Next::Event(event),
                () = sleep_until(heartbeat) => Next::Heartbeat,
                () = sleep_until(time_limit) => Next::TimeLimit,
                () = sleep_until(kill_at.unwrap_or(time_limit)), if kill_at.is_some() => Next::Kill,
                () = self.shutdown.cancelled() => Next::Shutdown,
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
                Next::Kill => {
                    let error = "the runner did not stop by itself and was killed".to_owned();
                    return Ok(Outcome::Stopped(failed(EndReason::Cancelled, error)));
                }
                Next::Shutdown => return Ok(Outcome::Stopped(AttemptEnd::HandedBack)),
            }
        }
    }

    /// Acts on one event; returns the outcome, where it was the last one.
    async fn take(&mut self, event: Event, runner: &mut Runner) -> Result<Option<Outcome>, StoreError> {
        match event {
            Event::Started { environment, steps } => {
                self.started = true;
                let (store, lease) = (self.store.clone(), self.claim.lease);
                self.persist(|| store.start(lease, &environment, 0, steps)).await?;
            }
            Event::Metrics { points } => self.pending.extend(points),
            // A runner follows each batch of points by its progress: both are one write.
            Event::Progress { step, .. } => self.record(Some(step), runner).await?,
            Event::Log { message } => tracing::info!("{message}"),
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
        if self.store_pending(step).await? == Some(Wish::Cancel) && self.kill_at.is_none() {
            tracing::info!("cancel is wanted");
            self.kill_at = Some(Instant::now() + PATIENCE);
            // A runner that is gone is noticed by its events.
            let _ = runner.send(&Command::Cancel).await;
        }
        Ok(())
    }

    async fn store_pending(&mut self, step: Option<u64>) -> Result<Option<Wish>, StoreError> {
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
        let (store, lease) = (self.store.clone(), self.claim.lease);
        self.persist(|| store.end(lease, end.clone())).await
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
