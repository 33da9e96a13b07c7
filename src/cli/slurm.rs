//! `optlab slurm`: starts workers in Slurm while there are jobs for them.

use std::env;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::serve::{block_on, stop_on_signal};
use super::{Failure, output};
use crate::config::{DatabaseSettings, Drain, PoolSettings, TrainingSettings, pools};
use crate::pilots::{self, Surroundings};
use crate::store;

#[derive(clap::Args)]
#[command(mut_arg("database_url", |arg| arg.default_value(None).required(true)))]
pub(super) struct Args {
    /// A pool; without its options, the pools of the settings file.
    #[command(flatten)]
    pool: Option<PoolSettings>,
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    training: TrainingSettings,
    /// Print the command and the script that would start a pilot, and request none
    #[arg(long)]
    pub(super) dry_run: bool,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let pools = requested(&args)?;
    let surroundings = Surroundings::new(env::current_exe()?, &args.database.database_url, &args.training);
    if args.dry_run {
        for pool in &pools {
            output::line(pilots::dry_run(pool, &surroundings))?;
        }
        return Ok(());
    }
    block_on(async {
        let version = pilots::version().await.context("Slurm's commands do not run on this machine")?;
        let shutdown = CancellationToken::new();
        tokio::spawn(stop_on_signal(shutdown.clone(), Drain::default()));
        let url = &args.database.database_url;
        let Some(store) = shutdown.run_until_cancelled(store::join(url.expose())).await else {
            return Ok(());
        };
        let store = store.with_context(|| format!("cannot open {url}"))?;
        let names: Vec<&str> = pools.iter().map(|pool| pool.name.as_str()).collect();
        tracing::info!(pools = names.join(" "), "keeping pilots in {version}");
        pilots::run(store.clone(), pools, surroundings, shutdown).await;
        tracing::info!("pilots that run or wait stay in Slurm");
        store.close().await;
        Ok(())
    })?
}

/// The pool of the command line, or those of the settings file if the command line has none of a pool's options.
fn requested(args: &Args) -> Result<Vec<PoolSettings>, Failure> {
    if let Some(pool) = &args.pool {
        return Ok(vec![pool.clone()]);
    }
    let pools = pools(args.database.config.as_ref())?;
    Ok(if pools.is_empty() { vec![PoolSettings::default()] } else { pools })
}
