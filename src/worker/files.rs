//! The files of one attempt: its checkpoint to resume from, and its results.

use std::env;
use std::fs::{self, DirEntry, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use optlab_domain::{ArtifactKind, Lease};
use tempfile::TempDir;

use super::log::Log;
use crate::artifacts::{ArtifactError, ArtifactRoot, AttemptFile};
use crate::store::Artifact;

/// Name of the log in the folder.
pub(super) const LOG: &str = "log.txt";

/// Prefix of the names of attempt folders.
const PREFIX: &str = "optlab-job";
/// Name of the file that is locked.
const OWNER: &str = "owner";
/// Younger folders are left alone: their owner may be about to lock its file.
const SETTLED: Duration = Duration::from_secs(60);

/// A folder for the runner, and transfers between it and the artifact root.
pub(super) struct Files {
    root: ArtifactRoot,
    scratch: TempDir,
    lease: Lease,
    /// The lock, which the system releases when this process ends.
    _owner: File,
}

impl Files {
    pub(super) fn new(root: ArtifactRoot, lease: Lease) -> io::Result<Self> {
        let prefix = format!("{PREFIX}{}-attempt{}-", lease.job, lease.attempt);
        let scratch = tempfile::Builder::new().prefix(&prefix).tempdir()?;
        let owner = File::create(scratch.path().join(OWNER))?;
        owner.lock()?;
        Ok(Self { root, scratch, lease, _owner: owner })
    }

    /// The folder of the runner.
    pub(super) fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Creates the log of the attempt.
    pub(super) fn begin_log(&self) -> io::Result<Log> {
        Log::create(self.scratch.path().join(LOG))
    }

    /// Fetches the first of `checkpoints` that is intact. Lost and altered checkpoints are skipped.
    ///
    /// # Errors
    /// The reason why a checkpoint that may be intact cannot be fetched at present. Skipping it would train its updates
    /// again, so the job waits instead.
    pub(super) async fn resume(
        &self,
        checkpoints: &[Artifact],
    ) -> Result<Option<(Artifact, PathBuf)>, ArtifactError> {
        let file = self.scratch.path().join("resume.safetensors");
        for checkpoint in checkpoints {
            match self.root.fetch(&checkpoint.path, &checkpoint.sha256, &file).await {
                Ok(()) => return Ok(Some((checkpoint.clone(), file))),
                Err(error) if error.is_permanent() => {
                    tracing::error!(%error, checkpoint.step, "the checkpoint is lost; trying the one before it");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Removes the bytes of a checkpoint.
    pub(super) async fn remove(&self, checkpoint: &Artifact) -> Result<(), ArtifactError> {
        self.root.delete(&checkpoint.path).await
    }

    /// Writes a file of the folder.
    pub(super) fn write(&self, file: &str, content: &[u8]) -> Result<(), ArtifactError> {
        let path = self.scratch.path().join(file);
        fs::write(&path, content).map_err(|error| ArtifactError::file(&path, error))
    }

    /// Stores `file` of the folder. No other attempt writes to its path, so a worker that has lost its lease overwrites
    /// nothing.
    pub(super) async fn keep(
        &self,
        file: &str,
        kind: ArtifactKind,
        step: u64,
    ) -> Result<Artifact, ArtifactError> {
        let attempt = self.lease.attempt;
        let name = match kind {
            ArtifactKind::Weights => file.to_owned(),
            _ => format!("attempt-{attempt}-{file}"),
        };
        let path = AttemptFile { lease: self.lease, name: file }.to_string();
        let written = self.root.put(&path, &self.scratch.path().join(file)).await?;
        let (bytes, sha256) = (written.bytes as i64, written.sha256);
        Ok(Artifact { name, kind, attempt, step: step as i64, path, bytes, sha256 })
    }
}

/// Removes the folders of workers that were killed.
pub(super) fn remove_abandoned() {
    remove_abandoned_in(&env::temp_dir());
}

fn remove_abandoned_in(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    for folder in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        if is_abandoned(&folder).unwrap_or(false) {
            // Another process may remove it at the same time.
            let _ = fs::remove_dir_all(folder.path());
        }
    }
}

fn is_abandoned(folder: &DirEntry) -> io::Result<bool> {
    // A time in the future was written by a wrong clock.
    let age = folder.metadata()?.modified()?.elapsed().unwrap_or_else(|ahead| ahead.duration());
    let settled = age > SETTLED;
    Ok(settled && File::open(folder.path().join(OWNER))?.try_lock().is_ok())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "files carry times of the wall clock")]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn only_folders_without_an_owner_are_removed() {
        let place = tempfile::tempdir().unwrap();
        let folder = |name: &str, age: Duration| {
            let path = place.path().join(name);
            fs::create_dir(&path).unwrap();
            let owner = File::create(path.join(OWNER)).unwrap();
            File::open(&path).unwrap().set_modified(SystemTime::now() - age).unwrap();
            (path, owner)
        };
        let (dead, _) = folder("optlab-job1-attempt1-a", SETTLED * 2);
        let (alive, owner) = folder("optlab-job1-attempt2-b", SETTLED * 2);
        owner.lock().unwrap();
        let (young, _) = folder("optlab-job2-attempt1-c", Duration::ZERO);
        let (foreign, _) = folder("somebody-else", SETTLED * 2);
        let (ahead, _) = folder("optlab-job3-attempt1-d", Duration::ZERO);
        File::open(&ahead).unwrap().set_modified(SystemTime::now() + SETTLED * 2).unwrap();
        remove_abandoned_in(place.path());
        let left = [&dead, &alive, &young, &foreign, &ahead].map(|path| path.exists());
        assert_eq!(left, [false, true, true, true, false]);
    }
}
