//! The conversation with the runner: its events, and commands to it.

use std::io;
use std::time::Duration;

use optlab_domain::{ArtifactKind, EndReason, Request};
use optlab_spec::protocol::{self, Command, Event, Point, Run, Version};
use tokio::time::{Instant, sleep_until};

use super::super::runner::Runner;
use super::super::text;
use super::silence::{Silence, Verdict};
use super::state::{Attempt, failed};
use crate::artifacts::ArtifactError;
use crate::store::{AttemptEnd, CompleteRun, StoreError};

/// Time limit for a runner to stop. It reads commands between two steps.
pub const LONGEST_STOP: Duration = Duration::from_secs(20);

/// The next thing that happens in an attempt.
enum Next {
    Event(io::Result<Option<Event>>),
    Heartbeat,
    TimeLimit,
    Kill,
    Silence,
    Shutdown,
}

/// The end of the conversation with the runner.
pub(super) enum Outcome {
    /// The runner reported the end.
    Reported(AttemptEnd),
    /// The runner died, or sent an invalid event.
    Died,
    /// The runner reported a failure after which it ends.
    Left(AttemptEnd),
    /// The worker stopped the runner.
    Stopped(AttemptEnd),
    /// The runner never got the job, because the checkpoint to resume from cannot be fetched at present.
    CannotFetch(ArtifactError),
}

impl Attempt {
    /// Runs until the runner reports the end of the job, dies or is stopped.
    pub(super) async fn converse(&mut self, runner: &mut Runner) -> Result<Outcome, StoreError> {
        let time_limit = Instant::now() + Duration::from_secs(self.claim.time_limit_seconds as u64);
        let (files, checkpoints) = (self.files.clone(), std::mem::take(&mut self.claim.checkpoints));
        let (resumed, resume_from) = match self.with_heartbeats(files.resume(&checkpoints)).await? {
            Ok(resume) => resume.unzip(),
            Err(error) => return Ok(Outcome::CannotFetch(error)),
        };
        self.resumed = resumed;
        let run = Run {
            protocol: Version,
            job: self.claim.lease.job,
            attempt: self.claim.lease.attempt,
            device: self.device,
            spec: self.claim.spec.clone(),
            artifact_dir: Some(self.files.folder().to_owned()),
            resume_from,
            stop_at: self.claim.stop_at,
        };
        if runner.send(&Command::Run(Box::new(run))).await.is_err() {
            return Ok(Outcome::Died);
        }
        let mut silence = Silence::new(self.hung_after, Instant::now());
        loop {
            let next = self.next(runner, time_limit, silence.deadline()).await;
            if let Some(outcome) = self.handle(next, runner, &mut silence).await? {
                return Ok(outcome);
            }
        }
    }

    async fn next(&self, runner: &mut Runner, time_limit: Instant, silence: Instant) -> Next {
        let kill_at = self.stopping.map(|(_, kill_at)| kill_at);
        tokio::select! {
            // In this order: a pending event takes precedence over the silence of the runner, and a due heartbeat
            // takes precedence over events.
            biased;
            () = self.shutdown.cancelled(), if kill_at.is_none() => Next::Shutdown,
            () = sleep_until(time_limit) => Next::TimeLimit,
            () = sleep_until(kill_at.unwrap_or(time_limit)), if kill_at.is_some() => Next::Kill,
            () = sleep_until(self.heartbeat()) => Next::Heartbeat,
            event = runner.next_event() => Next::Event(event),
            () = sleep_until(silence), if kill_at.is_none() => Next::Silence,
        }
    }

    /// Returns the outcome if this was the last thing to happen.
    async fn handle(
        &mut self,
        next: Next,
        runner: &mut Runner,
        silence: &mut Silence,
    ) -> Result<Option<Outcome>, StoreError> {
        match next {
            Next::Event(Ok(Some(event))) => {
                if silence.ends(Instant::now(), self.started) {
                    tracing::info!("the runner has responded again");
                    self.remark(None).await?;
                }
                let outcome = self.take(event, runner).await?;
                silence.begins(Instant::now());
                return Ok(outcome);
            }
            Next::Event(Ok(None)) => return Ok(Some(Outcome::Died)),
            Next::Event(Err(error)) => {
                tracing::error!(%error, "unreadable event");
                return Ok(Some(Outcome::Died));
            }
            Next::Silence => match silence.verdict(Instant::now()) {
                Verdict::Warn(warning) => {
                    tracing::warn!("{warning}");
                    self.remark(Some(&warning)).await?;
                }
                Verdict::Kill(error) => return Ok(Some(stopped(EndReason::RunnerCrashed, error))),
            },
            Next::Heartbeat => self.record(&[], None, runner).await?,
            Next::TimeLimit => {
                let error =
                    format!("the run exceeded time_limit_seconds = {}", self.claim.time_limit_seconds);
                return Ok(Some(stopped(EndReason::TimedOut, error)));
            }
            Next::Kill if self.stopping.is_some_and(|(request, _)| request == Request::Cancel) => {
                let error = "the runner did not stop by itself and was killed".to_owned();
                return Ok(Some(stopped(EndReason::Cancelled, error)));
            }
            // The job resumes from its last checkpoint.
            Next::Kill => return Ok(Some(Outcome::Stopped(AttemptEnd::HandedBack))),
            Next::Shutdown => self.stop(Request::Pause, runner).await,
        }
        Ok(None)
    }

    /// Handles one event; returns the outcome if it was the last one.
    async fn take(&mut self, event: Event, runner: &mut Runner) -> Result<Option<Outcome>, StoreError> {
        match event {
            Event::Started { step, environment, steps } => {
                self.started = true;
                let (store, lease) = (self.store.clone(), self.claim.lease);
                let forgotten = self.persist(|| store.start(lease, &environment, step, steps)).await?;
                self.remove_bytes(&forgotten).await?;
                let spec = self.claim.spec.clone();
                self.keep_text("spec.json", ArtifactKind::Spec, &spec).await?;
                self.keep_text("environment.json", ArtifactKind::Environment, &environment).await?;
            }
            Event::Flush { points, step } => self.record(&points, Some(step), runner).await?,
            Event::Checkpoint { step, file, sha256, bytes } => {
                let written = protocol::Artifact { file, sha256, bytes };
                self.record(&[], Some(step), runner).await?;
                self.keep_checkpoint(&written, step).await?;
                self.keep_log(step).await?;
            }
            Event::Log { mut message } => {
                text::shorten(&mut message);
                tracing::info!("{message}");
                runner.add_to_log(&message);
            }
            Event::UnusableCheckpoint => self.forget_unusable().await?,
            Event::Paused { step } => {
                let is_at_rung = self.claim.stop_at.is_some_and(|stop_at| step >= stop_at);
                return Ok(Some(Outcome::Reported(if is_at_rung {
                    AttemptEnd::AtRung { step, points: self.claim.spec.points_after(step) }
                } else {
                    AttemptEnd::HandedBack
                })));
            }
            Event::Finished { summary } => {
                let spec = &self.claim.spec;
                let points = spec.points_after(spec.train.total_steps());
                let run = CompleteRun { summary, points, missing_files: Vec::new() };
                return Ok(Some(Outcome::Reported(AttemptEnd::Finished(run))));
            }
            Event::Failed(failure) => {
                return Ok(Some(match failure.ends_runner() {
                    true => Outcome::Left(AttemptEnd::Failed(failure)),
                    false => Outcome::Reported(AttemptEnd::Failed(failure)),
                }));
            }
        }
        Ok(None)
    }

    /// Stores points and progress, renews the lease, and passes on a request.
    async fn record(
        &mut self,
        points: &[Point],
        step: Option<u64>,
        runner: &mut Runner,
    ) -> Result<(), StoreError> {
        if let Some(request) = self.store_points(points, step).await? {
            self.stop(request, runner).await;
        }
        Ok(())
    }

    /// Sends a request to the runner once; cancel takes precedence over pause.
    async fn stop(&mut self, request: Request, runner: &mut Runner) {
        let sent = self.stopping.map(|(sent, _)| sent);
        if sent == Some(request) || sent == Some(Request::Cancel) {
            return;
        }
        self.stopping = Some((request, Instant::now() + LONGEST_STOP));
        tracing::info!(%request, "stopping the runner");
        // The end of a runner is detected by its events.
        let _ = runner.send(&Command::Stop { request }).await;
    }
}

fn stopped(reason: EndReason, error: String) -> Outcome {
    Outcome::Stopped(failed(reason, error))
}
