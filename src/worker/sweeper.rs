//! Removes files of jobs that nobody will ask for: old checkpoints, and what no row names.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::artifacts::ArtifactRoot;
use crate::clock::Clock;
use crate::store::{Store, StoreError};

/// Checkpoints at a time; more are left for the next round.
const MOST: i64 = 100;

/// How often.
#[derive(Clone, Copy, Debug)]
pub struct Sweeps {
    /// Between two looks for old checkpoints.
    pub checkpoints: Duration,
    /// Between two looks for files without a row, and how long the attempt that left them must have ended.
    pub strays: Duration,
}

/// Looks every so often until `shutdown`. The bytes of a checkpoint go before the row does: whoever dies in between has the
/// next round find it again. Several processes may do so.
pub async fn sweep(
    store: Arc<dyn Store>,
    artifacts: ArtifactRoot,
    clock: Arc<dyn Clock>,
    sweeps: Sweeps,
    shutdown: CancellationToken,
) {
    let checkpoints = async {
        loop {
            if let Err(error) = remove_checkpoints(&*store, &artifacts).await {
                tracing::warn!(%error, "cannot remove old checkpoints");
            }
            sleep(sweeps.checkpoints).await;
        }
    };
    let strays = async {
        loop {
            sleep(sweeps.strays).await;
            let ended_before = clock.now_ms() - sweeps.strays.as_millis() as i64;
            match remove_strays(&*store, &artifacts, ended_before).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "removed files that no row names"),
                Err(error) => tracing::warn!(%error, "cannot remove files that no row names"),
            }
        }
    };
    shutdown.run_until_cancelled(async { tokio::join!(checkpoints, strays) }).await;
}

async fn remove_checkpoints(store: &dyn Store, artifacts: &ArtifactRoot) -> anyhow::Result<()> {
    for (job, checkpoint) in store.obsolete_checkpoints(MOST).await? {
        artifacts.delete(&checkpoint.path).await?;
        store.forget_artifact(job, &checkpoint).await?;
    }
    Ok(())
}

/// Removes what an attempt has stored without noting it, because it died in between; returns how many files.
///
/// An attempt that has ended notes nothing any more, because it has lost its lease. A file of its own that has no row by then
/// will never have one, whatever clocks say.
async fn remove_strays(
    store: &dyn Store,
    artifacts: &ArtifactRoot,
    ended_before: i64,
) -> anyhow::Result<usize> {
    let (mut files, mut job, mut removed) = (artifacts.list("jobs"), None::<Job>, 0);
    while let Some(path) = files.next().await {
        let path = path?;
        let Some((id, attempt)) = owner(&path) else { continue };
        // Files come job by job.
        if job.as_ref().is_none_or(|job| job.id != id) {
            job = Some(Job::read(store, id, ended_before).await?);
        }
        let Some(job) = &job else { continue };
        if job.ended.contains(&attempt) && !job.noted.contains(&path) {
            artifacts.delete(&path).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// The job and the attempt in a path like `jobs/7/2/log.txt`; `None` for what no attempt can have stored.
fn owner(path: &str) -> Option<(i64, i64)> {
    let (job, rest) = path.strip_prefix("jobs/")?.split_once('/')?;
    let (attempt, file) = rest.split_once('/')?;
    (!file.contains('/')).then_some((job.parse().ok()?, attempt.parse().ok()?))
}

/// What the database says of a job. Of one that it does not know, nothing is removed: the files may be those of another
/// database.
#[derive(Default)]
struct Job {
    id: i64,
    /// Attempts that ended long enough ago.
    ended: HashSet<i64>,
    /// Paths that have a row.
    noted: HashSet<String>,
}

impl Job {
    async fn read(store: &dyn Store, id: i64, ended_before: i64) -> Result<Self, StoreError> {
        let job = Self { id, ..Self::default() };
        // The attempts first: what has ended by then can have no other rows than those that are read next.
        let attempts = match store.attempts(id).await {
            Err(StoreError::NotFound { .. }) => return Ok(job),
            attempts => attempts?,
        };
        let ended =
            attempts.iter().filter(|attempt| attempt.ended_ms.is_some_and(|ended| ended <= ended_before));
        let noted = match store.artifacts(id).await {
            Err(StoreError::NotFound { .. }) => return Ok(job),
            noted => noted?,
        };
        let ended = ended.map(|attempt| attempt.number).collect();
        Ok(Self { ended, noted: noted.into_iter().map(|artifact| artifact.path).collect(), ..job })
    }
}

#[cfg(test)]
mod tests {
    use super::owner;

    #[test]
    fn only_paths_of_attempts_have_an_owner() {
        assert_eq!(owner("jobs/7/2/log.txt"), Some((7, 2)));
        assert_eq!(owner("jobs/7/2/log.txt#1"), Some((7, 2)));
        for path in
            ["jobs/7/log.txt", "jobs/a/2/log.txt", "jobs/7/2/more/log.txt", "other/7/2/log.txt", "jobs"]
        {
            assert_eq!(owner(path), None, "{path}");
        }
    }
}
