//! `optlab export`: writes an experiment to a file for other programs or servers.

use std::fs::{self, File};
use std::io::{self, Seek};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;
use optlab_domain::ExperimentId;
use serde_json::json;

use super::client::{Client, ServerArgs};
use super::download::{BROKEN, download};
use super::unfinished::Unfinished;
use super::{Failure, output, which};
use crate::exchange::{EventWriter, ExchangeError, ParquetReader, PointWriter};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id or name of the experiment; the newest of that name
    experiment: String,
    /// Parquet is complete and can be imported; CSV has points or jobs; TensorBoard shows curves
    #[arg(long, value_enum)]
    format: Format,
    /// Rows of the CSV file
    #[arg(long, value_enum, default_value_t = Table::Points)]
    table: Table,
    /// The file, or for TensorBoard the folder; an existing one is not overwritten; `-` is standard output [default:
    /// named after the experiment, in the current folder]
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Csv,
    Parquet,
    Tensorboard,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Table {
    Points,
    Jobs,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if args.table == Table::Jobs && args.format != Format::Csv {
        return Err(Failure::Usage("--table is for --format csv".to_owned()));
    }
    let client = args.server.client()?;
    let experiment = which::find(&client, &args.experiment)?;
    let to_screen = args.output.as_deref() == Some(Path::new("-"));
    let path = match args.format {
        Format::Tensorboard if to_screen => {
            return Err(Failure::Usage("TensorBoard's files need a folder".to_owned()));
        }
        Format::Tensorboard => write_events(&client, experiment, args.output.clone())?,
        Format::Parquet => download(&client, &export(experiment, "parquet"), args.output.clone())?,
        Format::Csv if args.table == Table::Jobs => {
            download(&client, &export(experiment, "csv&table=jobs"), args.output.clone())?
        }
        Format::Csv => download(&client, &export(experiment, "csv"), args.output.clone())?,
    };
    match (to_screen, args.json) {
        (true, _) => {}
        (false, true) => output::json(&json!({ "experiment": experiment, "path": path }))?,
        (false, false) => output::line(path.display())?,
    }
    Ok(())
}

/// Converts the Parquet file to event files.
fn write_events(
    client: &Client,
    experiment: ExperimentId,
    output: Option<PathBuf>,
) -> Result<PathBuf, Failure> {
    let (name, mut body) = client.download(&export(experiment, "parquet"))?;
    let output = output.unwrap_or_else(|| PathBuf::from(name.trim_end_matches(".parquet")));
    let unfinished = Unfinished::beside(&output)?;
    let mut file = tempfile::tempfile()?;
    io::copy(&mut body, &mut file).context(BROKEN)?;
    file.rewind()?;
    let folder = unfinished.path();
    fs::create_dir_all(folder)
        .map_err(ExchangeError::from)
        .and_then(|()| copy_events(file, folder.to_owned()))
        .with_context(|| format!("cannot write {}; the incomplete output was removed", output.display()))?;
    unfinished.finish()?;
    Ok(output)
}

fn copy_events(file: File, folder: PathBuf) -> Result<(), ExchangeError> {
    let reader = ParquetReader::open(file)?;
    let mut events = Box::new(EventWriter::new(folder));
    let mut written = Ok(());
    reader.for_each(|stretch| {
        written = events.write(&reader.import().jobs[stretch.job], &stretch.series, &stretch.points);
        written.is_ok()
    })?;
    written?;
    events.finish()
}

/// The path of an export.
fn export(experiment: ExperimentId, format: &str) -> String {
    format!("/experiments/{experiment}/export?format={format}")
}
