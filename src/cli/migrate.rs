//! `optlab migrate`: brings the schema of a database up to date.

use anyhow::Context;

use super::Failure;
use super::serve::runtime;
use crate::store;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The database
    #[arg(long, env = "OPTLAB_DATABASE_URL", value_name = "URL", default_value = "sqlite:optlab.db")]
    database_url: String,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let url = store::redacted(&args.database_url);
        let store = store::open(&args.database_url).await.with_context(|| format!("cannot migrate {url}"))?;
        store.close().await;
        println!("{url} is up to date");
        Ok(())
    })
}
