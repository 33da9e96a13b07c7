//! `optlab report`: writes an experiment as one page of HTML that can be mailed.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::client::ServerArgs;
use super::download::download;
use super::{Failure, output, which};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id or name of the experiment; the newest of that name
    experiment: String,
    /// The file; an existing one is not overwritten; `-` is standard output [default: named after the experiment, in
    /// the current folder]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    let experiment = which::find(&client, &args.experiment)?;
    let path = download(&client, &format!("/experiments/{experiment}/report"), args.output.clone())?;
    match (path == Path::new("-"), args.json) {
        (true, _) => {}
        (false, true) => output::json(&json!({ "experiment": experiment, "path": path }))?,
        (false, false) => output::line(path.display())?,
    }
    Ok(())
}
