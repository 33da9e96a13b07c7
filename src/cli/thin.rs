//! `optlab thin`: old curves with fewer points, when somebody says so and never by itself.

use anyhow::Context;

use super::serve::block_on;
use super::{Failure, experiments, output};
use crate::config::DatabaseArgs;
use crate::store::{self, Thinned};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id of the experiment
    #[arg(value_parser = experiments::id)]
    experiment: i64,
    /// Keep one step in so many of each series, besides the first, the last, the lowest and the highest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(2..))]
    every: i64,
    /// Delete, rather than only say what would be deleted
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let url = args.database.resolve()?;
    block_on(async {
        let store = store::join(&url).await;
        let store = store.with_context(|| format!("cannot open {}", store::redacted(&url)))?;
        let Args { experiment, every, yes, .. } = *args;
        let thinned = match yes {
            true => store.thin(experiment, every).await,
            false => store.would_thin(experiment, every).await,
        };
        store.close().await;
        let Thinned { jobs, points, deleted } = thinned?;
        let about = format!("{deleted} of {points} points of {jobs} ended jobs of experiment {experiment}");
        Ok(output::line(match yes {
            true => format!("Deleted {about}."),
            false => format!("Would delete {about}, for good. --yes does it."),
        })?)
    })?
}
