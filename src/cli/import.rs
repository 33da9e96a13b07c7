//! `optlab import`: imports an experiment of another server.

use std::fs::File;
use std::path::PathBuf;

use anyhow::Context;
use optlab_api_types::Submitted;

use super::client::ServerArgs;
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
    let submitted: Submitted = client.upload("/imports", file)?;
    let Submitted { id, name, jobs } = &submitted;
    let printed = match args.json {
        true => output::json(&submitted),
        false => output::line(format!("Experiment {id} `{name}`, {} jobs: {}", jobs.len(), client.page(*id))),
    };
    Ok(printed.with_context(|| format!("experiment {id} `{name}` is stored"))?)
}
