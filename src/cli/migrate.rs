//! `optlab migrate`: brings the schema of a database up to date.

use anyhow::Context;

use super::serve::block_on;
use super::{Failure, output};
use crate::config::DatabaseArgs;
use crate::store;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let url = args.database.resolve()?;
    block_on(async {
        let shown = store::redacted(&url);
        let store = store::open(&url).await.with_context(|| format!("cannot migrate {shown}"))?;
        store.close().await;
        Ok(output::line(format!("{shown} is up to date"))?)
    })?
}
