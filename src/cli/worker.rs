//! `optlab worker`: slots for the queue of a server on another machine.

use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::serve::{block_on, stop_on_signal, try_temporary_folder};
use crate::artifacts::ArtifactRoot;
use crate::config::WorkerSettings;
use crate::store::{self, Store};
use crate::worker;

/// Interval between checks whether a server has set up the database.
const PAUSE: Duration = Duration::from_secs(2);

/// A connection with TLS takes seconds on a busy machine.
const LEAST_TIME_TO_JOIN: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: WorkerSettings,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let (url, config) = (args.settings.database.database_url.clone(), args.settings.worker());
    block_on(async {
        try_temporary_folder();
        let shutdown = CancellationToken::new();
        tokio::spawn(stop_on_signal(shutdown.clone(), config.training.drain));
        let joining = async {
            let store = store::join(url.expose()).await.with_context(|| format!("cannot open {url}"))?;
            let root = artifact_root(&store).await;
            anyhow::Ok((store, root))
        };
        let joining = async {
            // A pilot does not hold its machine while no server comes.
            let Some(idle) = config.exit_when_idle else { return joining.await };
            let longest = idle.max(LEAST_TIME_TO_JOIN);
            timeout(longest, joining).await.unwrap_or_else(|_| {
                let seconds = longest.as_secs();
                bail!(
                    "cannot join {url} within {seconds} s, as the log says. Is `optlab serve` running on it?"
                )
            })
        };
        let Some(joined) = shutdown.run_until_cancelled(joining).await else { return Ok(()) };
        let (store, root) = joined?;
        let artifacts = ArtifactRoot::open(&root, &args.settings.bucket)?;
        worker::run(store.clone(), artifacts, config, shutdown).await;
        store.close().await;
        Ok(())
    })?
}

/// Waits until a server has stored the artifact root.
async fn artifact_root(store: &Store) -> String {
    let mut reported = String::new();
    loop {
        match store.artifact_root(None).await {
            Ok(root) => return root.place,
            Err(error) => {
                let why = error.to_string();
                if why != reported {
                    tracing::warn!("waiting: {why}");
                    reported = why;
                }
                sleep(PAUSE).await;
            }
        }
    }
}
