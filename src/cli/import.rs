//! `optlab import`: imports an experiment of another server.

use std::fs::File;
use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;

use super::client::{ServerArgs, Submitted};
use super::{Failure, output};

#[derive(clap::Args)]
pub(super) struct Args {
    /// A file from `optlab export --format parquet`
    file: PathBuf,
    #[command(flatten)]
    server: ServerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    if args.file.is_dir() {
        let shown = args.file.display();
        return Err(Failure::Usage(format!("{shown} is a folder; name the Parquet file of one experiment")));
    }
    let file = File::open(&args.file).with_context(|| args.file.display().to_string())?;
    let Submitted { id, name, jobs } = client.upload("/imports", file)?;
    Ok(match args.json {
        true => output::json(&json!({ "id": id, "name": name, "jobs": jobs })),
        false => output::line(format!("Experiment {id} `{name}`, {} jobs: {}", jobs.len(), client.page(id))),
    }?)
}
