//! The files of one attempt: what it goes on from, and what it leaves.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use optlab_spec::protocol;
use tempfile::TempDir;

use crate::artifacts::{ArtifactError, ArtifactRoot, sha256};
use crate::store::{Artifact, ArtifactKind, Lease};

/// Name of the log in the folder.
pub(super) const LOG: &str = "log.txt";

/// A folder for the runner, and the way from there to the artifact root and back.
pub(super) struct Files {
    root: ArtifactRoot,
    scratch: TempDir,
    lease: Lease,
}

impl Files {
    pub(super) fn new(root: ArtifactRoot, lease: Lease) -> io::Result<Self> {
        let scratch = tempfile::Builder::new()
            .prefix(&format!("optlab-job{}-attempt{}-", lease.job, lease.attempt))
            .tempdir()?;
        Ok(Self { root, scratch, lease })
    }

    /// Where the runner writes.
    pub(super) fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// The log of the attempt, opened to write at its end.
    pub(super) fn log(&self) -> io::Result<File> {
        File::options().create(true).append(true).open(self.scratch.path().join(LOG))
    }

    /// Fetches the first of `checkpoints` that is what was stored; one that is not is passed over.
    pub(super) async fn resume(&self, checkpoints: &[Artifact]) -> Option<(Artifact, PathBuf)> {
        let file = self.scratch.path().join("resume.safetensors");
        for checkpoint in checkpoints {
            match self.root.fetch(&checkpoint.path, &checkpoint.sha256, &file).await {
                Ok(()) => return Some((checkpoint.clone(), file)),
                Err(error) => {
                    tracing::error!(%error, checkpoint.step, "the checkpoint cannot be used; trying the one before");
                }
            }
        }
        None
    }

    /// Writes a file of the folder.
    pub(super) fn write(&self, file: &str, content: &[u8]) -> io::Result<protocol::Artifact> {
        std::fs::write(self.scratch.path().join(file), content)?;
        Ok(protocol::Artifact { file: file.to_owned(), sha256: sha256(content), bytes: content.len() as u64 })
    }

    /// Stores `file` of the folder. No other attempt writes to its path, so a worker that lost its lease harms nobody.
    pub(super) async fn keep(
        &self,
        file: &str,
        kind: ArtifactKind,
        step: u64,
    ) -> Result<Artifact, ArtifactError> {
        let Lease { job, attempt } = self.lease;
        let name = match kind {
            ArtifactKind::Weights => file.to_owned(),
            _ => format!("attempt-{attempt}-{file}"),
        };
        let path = format!("jobs/{job}/{attempt}/{file}");
        let written = self.root.put(&path, &self.scratch.path().join(file)).await?;
        let (bytes, sha256) = (written.bytes as i64, written.sha256);
        Ok(Artifact { name, kind, attempt, step: step as i64, path, bytes, sha256 })
    }
}
