//! `optlab migrate`: brings the schema of a database up to date.

use anyhow::Context;

use super::serve::block_on;
use super::{Failure, output};
use crate::config::DatabaseSettings;
use crate::store;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    database: DatabaseSettings,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let url = &args.database.database_url;
    block_on(async {
        let store = store::open(url.expose()).await.with_context(|| format!("cannot migrate {url}"))?;
        store.close().await;
        Ok(output::line(format!("{url} is up to date"))?)
    })?
}
