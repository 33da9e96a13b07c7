//! Removes checkpoints that nobody will go on from.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::artifacts::ArtifactRoot;
use crate::store::Store;

/// At a time; more are left for the next round.
const MOST: i64 = 100;

/// Looks every so often until `shutdown`. The bytes go before the row does: whoever dies in between has the next round
/// find it again.
pub async fn sweep(
    store: Arc<dyn Store>,
    artifacts: ArtifactRoot,
    every: Duration,
    shutdown: CancellationToken,
) {
    let rounds = async {
        loop {
            if let Err(error) = round(&*store, &artifacts).await {
                tracing::warn!(%error, "cannot remove old checkpoints");
            }
            tokio::time::sleep(every).await;
        }
    };
    shutdown.run_until_cancelled(rounds).await;
}

async fn round(store: &dyn Store, artifacts: &ArtifactRoot) -> anyhow::Result<()> {
    for (job, checkpoint) in store.obsolete_checkpoints(MOST).await? {
        artifacts.delete(&checkpoint.path).await?;
        store.forget_artifact(job, &checkpoint).await?;
    }
    Ok(())
}
