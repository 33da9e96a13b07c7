//! One attempt at a job: events of the runner go to the store, requests of people go to the runner.
//!
//! Order of writes: every point of a run is stored before its checkpoint and its end. A failed write is retried until
//! the lease expires; then the job belongs to another attempt, and the runner is stopped. The last files and the end of
//! a trained job are written while the runner trains the next one.

mod state;

mod conversation;
mod silence;

mod keeping;
mod promised;
mod writes;

use optlab_domain::{EndReason, JobState};

use self::conversation::Outcome;
use self::keeping::Kept;
use self::state::crashed;
use super::runner::Runner;
use crate::store::{Artifact, AttemptEnd, StoreError};

pub use self::conversation::LONGEST_STOP;
pub(super) use self::state::Attempt;

/// The outcome of an attempt.
pub(super) enum Ended {
    /// The runner has trained the job to its end or to a rung, and can train another one while this is written down.
    Trained(Box<Runner>, Box<Unwritten>),
    /// Everything is written down.
    Written {
        /// The runner, if it can train another job.
        runner: Option<Box<Runner>>,
        /// `None` if the lease was lost to another attempt.
        end: Option<AttemptEnd>,
    },
}

/// An attempt whose last files and end are not stored yet.
pub(super) struct Unwritten {
    attempt: Attempt,
    end: AttemptEnd,
}

impl Unwritten {
    /// The end that is not stored yet.
    pub(super) fn end(&self) -> &AttemptEnd {
        &self.end
    }

    /// Renews the lease until `before` is done; returns whether the attempt still has it.
    pub(super) async fn wait_for(&mut self, before: impl Future<Output = ()>) -> bool {
        let kept = self.attempt.with_heartbeats(before).await;
        if let Err(error) = &kept {
            tracing::warn!(%error, "the attempt is abandoned");
        }
        kept.is_ok()
    }

    /// Stores the last files and the end.
    pub(super) async fn write_down(mut self) {
        self.attempt.write_down(self.end).await;
    }
}

impl Attempt {
    /// Trains the job. A failure is written down at once, because the slot's next claim depends on it.
    pub(super) async fn run(mut self, mut runner: Runner) -> Ended {
        match self.files.begin_log() {
            Ok(log) => runner.log_to(log),
            Err(error) => tracing::error!(%error, "the job has no log"),
        }
        let outcome = match self.converse(&mut runner).await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::warn!(%error, "the attempt is abandoned");
                return Ended::Written { runner: None, end: None };
            }
        };
        let mut ending = None;
        let (end, runner) = match outcome {
            Outcome::Reported(end @ (AttemptEnd::Finished(_) | AttemptEnd::AtRung { .. })) => {
                return Ended::Trained(Box::new(runner), Box::new(Unwritten { attempt: self, end }));
            }
            Outcome::Reported(end) => (end, Some(Box::new(runner))),
            Outcome::Left(end) => {
                ending = Some(runner);
                (end, None)
            }
            Outcome::Stopped(end) => (end, None),
            Outcome::Died => (crashed(runner.exit_report().await), None),
            Outcome::CannotFetch(error) => {
                let error = format!("the checkpoint to resume from cannot be fetched now: {error}");
                (AttemptEnd::machine_fault(error), None)
            }
        };
        let end = self.blame(end);
        match &end {
            AttemptEnd::Failed(failure) if failure.reason != EndReason::Cancelled => {
                tracing::warn!(reason = %failure.reason, "failed: {}", failure.error);
            }
            _ => {}
        }
        self.write_down(end.clone()).await;
        if let Some(runner) = ending {
            // The next one may need its memory.
            runner.close().await;
        }
        Ended::Written { runner, end: Some(end) }
    }

    /// Stores the last files and the end.
    async fn write_down(&mut self, end: AttemptEnd) {
        match self.end(end).await {
            Ok(state) => tracing::info!(job.state = %state, "ended"),
            Err(error) => tracing::warn!(%error, "cannot end the attempt; it ends when its lease expires"),
        }
    }

    /// Turns a failure before the start of the training into a machine fault, because the runner has not touched the
    /// job yet. This excludes resumed attempts, which may fail because of their checkpoint.
    fn blame(&self, end: AttemptEnd) -> AttemptEnd {
        match end {
            AttemptEnd::Failed(failure)
                if matches!(failure.reason, EndReason::UserError | EndReason::RunnerCrashed)
                    && !self.started
                    && self.resumed.is_none() =>
            {
                AttemptEnd::machine_fault(format!("the runner could not start: {}", failure.error))
            }
            end => end,
        }
    }

    async fn end(&mut self, mut end: AttemptEnd) -> Result<JobState, StoreError> {
        if let AttemptEnd::Finished(run) = &mut end {
            match self.keep_all_of(&run.summary).await? {
                Kept::All => {}
                Kept::Without(missing_files) => run.missing_files = missing_files,
                Kept::Interrupted => end = AttemptEnd::HandedBack,
            }
        } else {
            self.keep_log(self.step).await?;
        }
        let (store, lease) = (self.store.clone(), self.claim.lease);
        self.persist(|| store.end(lease, end.clone())).await
    }

    /// Deletes the checkpoint that the runner could not resume from, so that no later attempt gets it.
    async fn forget_unusable(&mut self) -> Result<(), StoreError> {
        let Some(checkpoint) = self.resumed.clone() else { return Ok(()) };
        let (store, lease) = (self.store.clone(), self.claim.lease);
        self.persist(|| store.forget_unusable(lease, &checkpoint)).await?;
        self.remove_bytes(std::slice::from_ref(&checkpoint)).await
    }

    /// Removes the bytes of deleted checkpoints. Bytes that cannot be removed now are swept later.
    async fn remove_bytes(&mut self, checkpoints: &[Artifact]) -> Result<(), StoreError> {
        let files = self.files.clone();
        for checkpoint in checkpoints {
            if let Err(error) = self.with_heartbeats(files.remove(checkpoint)).await? {
                tracing::warn!(%error, "cannot remove an unused checkpoint; the sweeper will");
            }
        }
        Ok(())
    }
}
