//! `optlab import`: imports an experiment of another server, or runs of `optlab train`.

mod runs;

use std::fs::File;
use std::path::PathBuf;

use anyhow::Context;
use optlab_api_types::Submitted;

use super::client::ServerArgs;
use super::{Failure, output};

#[derive(clap::Args)]
pub(super) struct Args {
    /// A file from `optlab export --format parquet`, or folders of `optlab train`: the runs of one experiment
    #[arg(required = true, value_name = "FILE|FOLDER")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    let file = match args.paths.as_slice() {
        [file] if !file.is_dir() => File::open(file).with_context(|| file.display().to_string())?,
        paths => match paths.iter().find(|path| !path.is_dir()) {
            Some(other) => {
                let shown = other.display();
                return Err(Failure::Usage(format!(
                    "{shown} is no folder; import one file, or folders of `optlab train`"
                )));
            }
            None => runs::export(paths).map_err(|error| Failure::Usage(format!("{error:#}")))?,
        },
    };
    let submitted: Submitted = client.upload("/imports", file)?;
    let Submitted { id, name, jobs } = &submitted;
    let printed = match args.json {
        true => output::json(&submitted),
        false => output::line(format!("Experiment {id} `{name}`, {} jobs: {}", jobs.len(), client.page(*id))),
    };
    Ok(printed.with_context(|| format!("experiment {id} `{name}` is stored"))?)
}
