//! Pools of pilots: workers that Slurm starts while there are jobs for them.
//!
//! optlab keeps the queue and its leases, and Slurm starts and stops machines. The number of pilots is always what Slurm
//! reports, never what was requested before, so that a restart, a lost answer or a second process cannot request twice.

mod keeper;
mod plan;

mod slurm;
mod script;

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::config::PoolSettings;
use crate::store::Store;

use keeper::Keeper;

pub use script::Surroundings;
pub use slurm::{SlurmError, dry_run, ping, version};

/// Keeps every pool until `shutdown`. Pilots that run by then go on, and those that wait stay in Slurm's queue.
pub async fn run(
    store: Arc<Store>,
    pools: Vec<PoolSettings>,
    surroundings: Surroundings,
    shutdown: CancellationToken,
) {
    let surroundings = Arc::new(surroundings);
    let keep = |settings: PoolSettings| {
        let mut keeper = Keeper::new(Arc::clone(&store), settings, Arc::clone(&surroundings));
        let shutdown = shutdown.clone();
        async move {
            let rounds = async {
                loop {
                    keeper.round().await;
                    sleep(keeper.pause()).await;
                }
            };
            shutdown.run_until_cancelled(rounds).await;
            keeper.release().await;
        }
    };
    join_all(pools.into_iter().map(keep)).await;
}
