//! The files that an attempt leaves. One that cannot be stored costs the job only that: it trains on.

use std::io;

use optlab_spec::protocol;
use serde::Serialize;

use super::super::files::LOG;
use super::Attempt;
use crate::artifacts::ArtifactError;
use crate::store::{Artifact, ArtifactKind, StoreError};

impl Attempt {
    /// Stores a file and then its row.
    pub(super) async fn keep(
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
    pub(super) async fn keep_log(&mut self, step: u64) -> Result<(), StoreError> {
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

    /// Writes a file of the worker's own and stores it.
    pub(super) async fn keep_text(
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

    async fn upload(
        &mut self,
        file: &str,
        kind: ArtifactKind,
        step: u64,
    ) -> Result<Result<Artifact, ArtifactError>, StoreError> {
        let files = self.files.clone();
        self.with_heartbeats(files.keep(file, kind, step)).await
    }
}
