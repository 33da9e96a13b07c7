//! Stores the files of an attempt.
//!
//! A file that cannot be stored does not stop the training. A missing checkpoint only makes a later attempt start
//! further back. Every other file is required for a complete success: it is retried at the end of the run, and if that
//! fails too, the job succeeds with an error that names the file.

use std::io;
use std::time::Duration;

use optlab_domain::ArtifactKind;
use optlab_spec::protocol::{self, Summary};
use serde::Serialize;
use tokio::time::{Instant, sleep, sleep_until};

use super::super::files::LOG;
use super::promised::Promised;
use super::state::Attempt;
use crate::artifacts::ArtifactError;
use crate::store::StoreError;

/// How long the end of a run retries files that cannot be stored, in leases: two and a half minutes by default.
const PATIENCE_LEASES: u32 = 10;

/// Time that a worker that stops gives the storage for a file, also if its runner should have stopped before.
const LAST_TRANSFER: Duration = Duration::from_secs(2);

/// Which files of a complete run are stored.
pub(super) enum Kept {
    /// All required files.
    All,
    /// All except these, each with the reason.
    Without(Vec<String>),
    /// The worker must stop before every file is stored; another attempt continues.
    Interrupted,
}

impl Attempt {
    /// Stores a checkpoint and then its row.
    pub(super) async fn keep_checkpoint(
        &mut self,
        written: &protocol::Artifact,
        step: u64,
    ) -> Result<(), StoreError> {
        let sha256 = Some(written.sha256.as_str());
        match self.store_file(&written.file, sha256, ArtifactKind::Checkpoint, step).await? {
            Ok(()) => {}
            // The runner keeps the last two checkpoints and does not wait for slow storage.
            Err(ArtifactError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                tracing::debug!(step, "replaced by a newer checkpoint");
            }
            Err(error) => tracing::error!(%error, step, "the checkpoint is not stored"),
        }
        Ok(())
    }

    /// Stores the log as it is now.
    pub(super) async fn keep_log(&mut self, step: u64) -> Result<(), StoreError> {
        if let Err(error) = self.store_file(LOG, None, ArtifactKind::Log, step).await? {
            tracing::error!(%error, "the log is not stored");
        }
        Ok(())
    }

    /// Writes a file of the worker and stores it.
    pub(super) async fn keep_text(
        &mut self,
        file: &str,
        kind: ArtifactKind,
        content: &impl Serialize,
    ) -> Result<(), StoreError> {
        let content = Some(serde_json::to_vec_pretty(content)?);
        self.keep(Promised { file: file.to_owned(), kind, step: 0, content, sha256: None }).await
    }

    /// Stores all files that the success of this run requires, and retries for a while those that cannot be stored.
    pub(super) async fn keep_all_of(&mut self, summary: &Summary) -> Result<Kept, StoreError> {
        let step = self.claim.spec.train.total_steps();
        if let Some(weights) = summary.weights.clone() {
            let (file, sha256) = (weights.file, Some(weights.sha256));
            self.keep(Promised { file, kind: ArtifactKind::Weights, step, content: None, sha256 }).await?;
        }
        let file = LOG.to_owned();
        self.keep(Promised { file, kind: ArtifactKind::Log, step, content: None, sha256: None }).await?;
        let until = Instant::now() + self.lease * PATIENCE_LEASES;
        while self.unkept.iter().any(|(_, error)| !error.is_permanent()) && Instant::now() < until {
            if self.shutdown.is_cancelled() {
                return Ok(Kept::Interrupted);
            }
            // A pending cancel or pause request does not wait for files.
            if self.prolong().await?.is_some() {
                break;
            }
            let _ = self.shutdown.run_until_cancelled(sleep(self.lease / 3)).await;
            for (promised, _) in std::mem::take(&mut self.unkept) {
                self.keep(promised).await?;
            }
        }
        let missing = self.unkept.iter();
        let missing: Vec<String> =
            missing.map(|(promised, error)| format!("{} is not stored: {error}", promised.file)).collect();
        Ok(if missing.is_empty() { Kept::All } else { Kept::Without(missing) })
    }

    /// Stores a required file. If that fails, the file is retried at the end of the run.
    async fn keep(&mut self, promised: Promised) -> Result<(), StoreError> {
        let Promised { file, kind, step, content, sha256 } = &promised;
        let written = content.as_ref().map_or(Ok(()), |content| self.files.write(file, content));
        let stored = match written {
            Ok(()) => self.store_file(file, sha256.as_deref(), *kind, *step).await?,
            Err(error) => Err(error),
        };
        if let Err(error) = stored {
            tracing::error!(%error, file, "the file is not stored; it is retried at the end of the run");
            self.unkept.push((promised, error));
        }
        Ok(())
    }

    /// Stores a file and then its row. A worker that stops waits for the storage only until its runner would be killed.
    async fn store_file(
        &mut self,
        file: &str,
        sha256: Option<&str>,
        kind: ArtifactKind,
        step: u64,
    ) -> Result<Result<(), ArtifactError>, StoreError> {
        let (files, shutdown) = (self.files.clone(), self.shutdown.clone());
        let kill_at = self.stopping.map(|(_, kill_at)| kill_at);
        let transfer = async {
            let stopped = async {
                shutdown.cancelled().await;
                let last = Instant::now() + LAST_TRANSFER;
                sleep_until(kill_at.map_or(last, |kill_at| kill_at.max(last))).await;
            };
            tokio::select! {
                kept = files.keep(file, kind, step) => kept,
                () = stopped => Err(ArtifactError::stored(file, "the worker stops, and the storage is too slow")),
            }
        };
        let artifact = match self.with_heartbeats(transfer).await? {
            Ok(artifact) => artifact,
            Err(error) => return Ok(Err(error)),
        };
        if sha256.is_some_and(|sha256| sha256 != artifact.sha256) {
            // The file has changed since the runner wrote it.
            return Ok(Err(ArtifactError::Altered(artifact.path)));
        }
        let (store, lease) = (self.store.clone(), self.claim.lease);
        self.persist(|| store.add_artifact(lease, &artifact)).await?;
        Ok(Ok(()))
    }
}
