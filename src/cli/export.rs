//! `optlab export`: an experiment as a file for other programs, or for another server.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::ValueEnum;
use serde_json::json;

use super::client::{Client, ServerArgs};
use super::{Failure, experiments, output};
use crate::exchange::{EventWriter, ExchangeError, ParquetReader, PointWriter};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id of the experiment, or its name: the newest of that name
    experiment: String,
    /// Parquet says everything, and `optlab import` reads it; CSV has points or jobs; TensorBoard shows curves
    #[arg(long, value_enum)]
    format: Format,
    /// Of CSV: which rows
    #[arg(long, value_enum, default_value_t = Table::Points)]
    table: Table,
    /// The file, or for TensorBoard the folder; one that exists is not overwritten, `-` is standard output [default:
    /// named after the experiment, here]
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
    let experiment = experiments::find(&client, &args.experiment)?;
    let to_screen = args.output.as_deref() == Some(Path::new("-"));
    let path = match args.format {
        Format::Tensorboard if to_screen => {
            return Err(Failure::Usage("TensorBoard's files need a folder".to_owned()));
        }
        Format::Tensorboard => write_events(&client, experiment, args.output.clone())?,
        Format::Parquet => download(&client, experiment, "parquet", args.output.clone())?,
        Format::Csv if args.table == Table::Jobs => {
            download(&client, experiment, "csv&table=jobs", args.output.clone())?
        }
        Format::Csv => download(&client, experiment, "csv", args.output.clone())?,
    };
    match (to_screen, args.json) {
        (true, _) => {}
        (false, true) => output::json(&json!({ "experiment": experiment, "path": path }))?,
        (false, false) => output::line(path.display())?,
    }
    Ok(())
}

/// Fetches the file to where it is wanted.
fn download(
    client: &Client,
    experiment: i64,
    format: &str,
    output: Option<PathBuf>,
) -> Result<PathBuf, Failure> {
    let (name, mut body) = fetch(client, experiment, format)?;
    let output = output.unwrap_or_else(|| PathBuf::from(name));
    if output == Path::new("-") {
        output::verbatim(body)?;
        return Ok(output);
    }
    // A file that broke off must not look like a whole one.
    let unfinished = unfinished(&output)?;
    let mut file =
        File::create(&unfinished).with_context(|| format!("cannot write {}", unfinished.display()))?;
    let copied = io::copy(&mut body, &mut file).and_then(|_| file.sync_all());
    if copied.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    copied.context(BROKEN)?;
    fs::rename(&unfinished, &output).with_context(|| output.display().to_string())?;
    Ok(output)
}

/// Makes event files of the Parquet file.
fn write_events(client: &Client, experiment: i64, output: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let (name, mut body) = fetch(client, experiment, "parquet")?;
    let output = output.unwrap_or_else(|| PathBuf::from(name.trim_end_matches(".parquet")));
    let unfinished = unfinished(&output)?;
    let mut file = tempfile::tempfile()?;
    io::copy(&mut body, &mut file).context(BROKEN)?;
    file.rewind()?;
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).with_context(|| unfinished.display().to_string())?;
    }
    fs::create_dir_all(&unfinished).with_context(|| unfinished.display().to_string())?;
    copy_events(file, unfinished.clone()).with_context(|| unfinished.display().to_string())?;
    fs::rename(&unfinished, &output).with_context(|| output.display().to_string())?;
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

const BROKEN: &str = "the export broke off; nothing was kept of it";

fn fetch(client: &Client, experiment: i64, format: &str) -> Result<(String, impl Read + use<>), Failure> {
    Ok(client.download(&format!("/experiments/{experiment}/export?format={format}"))?)
}

/// What is not finished yet lies beside `output`, which must be new.
fn unfinished(output: &Path) -> anyhow::Result<PathBuf> {
    ensure!(!output.exists(), "{} exists already", output.display());
    let mut name = output.to_owned().into_os_string();
    name.push(".unfinished");
    Ok(name.into())
}
