//! Removes files of jobs that are no longer needed: old checkpoints, and stray files without a row.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use optlab_domain::{AttemptNumber, JobId, Lease};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::artifacts::{ArtifactError, ArtifactRoot, AttemptFile, JOBS};
use crate::store::{Store, StoreError};

/// Maximum number of checkpoints per round.
const MOST: i64 = 100;

/// Intervals of the sweeper.
#[derive(Clone, Copy, Debug)]
pub struct Sweeps {
    /// Interval between rounds for old checkpoints.
    pub checkpoints: Duration,
    /// Interval between rounds for stray files, and the minimum time since the end of their attempt.
    pub strays: Duration,
}

/// Why a round of the sweeper ended early.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Artifacts(#[from] ArtifactError),
}

/// Sweeps periodically until `shutdown`. The bytes of a checkpoint are removed before its row, so that the next round
/// finds it again if the process dies in between. Several processes may sweep concurrently.
pub async fn sweep(store: Arc<Store>, artifacts: ArtifactRoot, sweeps: Sweeps, shutdown: CancellationToken) {
    let checkpoints = async {
        loop {
            if let Err(error) = remove_checkpoints(&store, &artifacts).await {
                tracing::warn!(%error, "cannot remove old checkpoints");
            }
            sleep(sweeps.checkpoints).await;
        }
    };
    let strays = async {
        loop {
            sleep(sweeps.strays).await;
            match remove_strays(&store, &artifacts, sweeps.strays).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "removed stray files"),
                Err(error) => tracing::warn!(%error, "cannot remove stray files"),
            }
        }
    };
    shutdown.run_until_cancelled(async { tokio::join!(checkpoints, strays) }).await;
}

async fn remove_checkpoints(store: &Store, artifacts: &ArtifactRoot) -> Result<(), SweepError> {
    for (job, checkpoint) in store.obsolete_checkpoints(MOST).await? {
        artifacts.delete(&checkpoint.path).await?;
        store.forget_artifact(job, &checkpoint).await?;
    }
    Ok(())
}

/// Removes the files of deleted jobs, and the stray files of attempts that died, at least `age` ago, between storing a
/// file and adding its row; returns their number.
///
/// An attempt that has ended cannot add rows, because it has lost its lease. A file of that attempt without a row will
/// therefore never get one, even if clocks are wrong.
async fn remove_strays(store: &Store, artifacts: &ArtifactRoot, age: Duration) -> Result<usize, SweepError> {
    let ended_before = store.time_ms().await? - age.as_millis() as i64;
    let (mut files, mut job, mut removed) = (artifacts.list(JOBS), None::<Job>, 0);
    while let Some(path) = files.next().await {
        let path = path?;
        let Some(AttemptFile { lease: Lease { job: id, attempt }, .. }) = AttemptFile::parse(&path) else {
            continue;
        };
        // Files are listed job by job.
        if job.as_ref().is_none_or(|job| job.id != id) {
            job = Some(Job::read(store, id, ended_before).await?);
        }
        if job.as_ref().is_some_and(|job| job.has_no_use_for(attempt, &path)) {
            artifacts.delete(&path).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// The attempts and files of a job in the database. Files of unknown jobs are not removed, because they may belong to
/// another database.
struct Job {
    id: JobId,
    /// The job was deleted with its experiment. No attempt of it can add rows any more, even one that still runs.
    deleted: bool,
    /// Attempts that ended long enough ago.
    ended: HashSet<AttemptNumber>,
    /// Paths that have a row.
    noted: HashSet<String>,
}

impl Job {
    async fn read(store: &Store, id: JobId, ended_before: i64) -> Result<Self, StoreError> {
        // Attempts are read before files, so that all rows of the attempts that have ended are among the files.
        let attempts = match store.attempts(id).await {
            Err(StoreError::NotFound { .. }) => return Self::without_rows(store, id).await,
            attempts => attempts?,
        };
        let ended =
            attempts.iter().filter(|attempt| attempt.ended_ms.is_some_and(|ended| ended <= ended_before));
        let noted = match store.artifacts(id).await {
            Err(StoreError::NotFound { .. }) => return Self::without_rows(store, id).await,
            noted => noted?,
        };
        let ended = ended.map(|attempt| attempt.number).collect();
        let noted = noted.into_iter().map(|artifact| artifact.path).collect();
        Ok(Self { id, deleted: false, ended, noted })
    }

    async fn without_rows(store: &Store, id: JobId) -> Result<Self, StoreError> {
        let deleted = store.was_deleted(id).await?;
        Ok(Self { id, deleted, ended: HashSet::new(), noted: HashSet::new() })
    }

    fn has_no_use_for(&self, attempt: AttemptNumber, path: &str) -> bool {
        self.deleted || self.ended.contains(&attempt) && !self.noted.contains(path)
    }
}
