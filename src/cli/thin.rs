//! `optlab thin`: thins the curves of an experiment, only on request.

use anyhow::Context;
use optlab_domain::ExperimentId;

use super::serve::block_on;
use super::{Failure, output, which};
use crate::config::DatabaseSettings;
use crate::store::{self, Store, StoreError, Thinned};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id or name of the experiment; the newest of that name
    experiment: String,
    /// Keep one of every N steps of each series, and the first, last, lowest and highest points
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(2..))]
    every: i64,
    /// Delete the points, instead of only printing what would be deleted
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    database: DatabaseSettings,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let url = &args.database.database_url;
    block_on(async {
        let store = store::join(url.expose()).await;
        let store = store.with_context(|| format!("cannot open {url}"))?;
        let thinned = thin(&store, args).await;
        store.close().await;
        let (experiment, Thinned { jobs, points, deleted }) = thinned?;
        let about = format!("{deleted} of {points} points of {jobs} ended jobs of experiment {experiment}");
        Ok(output::line(match args.yes {
            true => format!("Deleted {about}."),
            false => format!("Would permanently delete {about}. Add --yes to delete them."),
        })?)
    })?
}

/// The named experiment, and the number of points that are or would be deleted.
async fn thin(store: &Store, args: &Args) -> Result<(ExperimentId, Thinned), Failure> {
    let experiment = match which::id(&args.experiment) {
        Ok(id) => id,
        Err(_) => which::newest(&called(store, &args.experiment).await?, &args.experiment)?,
    };
    let thinned = match args.yes {
        true => store.thin(experiment, args.every).await?,
        false => store.would_thin(experiment, args.every).await?,
    };
    Ok((experiment, thinned))
}

/// Ids of the experiments of this name, the newest first.
async fn called(store: &Store, name: &str) -> Result<Vec<ExperimentId>, StoreError> {
    const PAGE: i64 = 1000;
    let (mut ids, mut before) = (Vec::new(), None);
    loop {
        let page = store.experiments(before, PAGE).await?;
        ids.extend(page.items.iter().filter(|one| one.name == name).map(|one| one.id));
        before = page.next;
        if before.is_none() {
            return Ok(ids);
        }
    }
}
