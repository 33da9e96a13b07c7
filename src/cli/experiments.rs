//! `optlab experiments`, and the choice of an experiment by id or name.

use anyhow::anyhow;
use optlab_api_types::ExperimentSummary;

use super::client::{Client, ServerArgs};
use super::progress::counts;
use super::table::table;
use super::{Failure, output};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    server: ServerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    let experiments: Vec<ExperimentSummary> = client.list("/experiments", &[])?;
    if args.json {
        return Ok(output::json(&experiments)?);
    }
    let mut table = table(["id", "name", "submitted", "arms", "seeds", "jobs"], &[0, 3, 4]);
    table.add_rows(experiments.into_iter().map(row));
    Ok(output::line(table.trim_fmt())?)
}

fn row(experiment: ExperimentSummary) -> [String; 6] {
    let ExperimentSummary { id, name, created_at, arms, seeds, .. } = experiment;
    // Seconds suffice to distinguish two submissions. The server's times are UTC.
    let submitted = created_at.split(['.', 'Z']).next().unwrap_or_default().replace('T', " ") + "Z";
    [
        id.to_string(),
        name,
        submitted,
        arms.len().to_string(),
        seeds.len().to_string(),
        counts(&experiment.counts),
    ]
}

/// Parses an id, with or without a leading `#`.
pub(super) fn id(given: &str) -> Result<i64, String> {
    given.strip_prefix('#').unwrap_or(given).parse().map_err(|_| "must be an id, like 7 or #7".to_owned())
}

/// The experiment with this id, or the newest with this name; reports the choice on standard error if there are
/// several. Ids and names cannot be confused, because no name consists only of digits.
pub(super) fn find(client: &Client, given: &str) -> Result<i64, Failure> {
    if let Ok(id) = id(given) {
        return Ok(id);
    }
    let all: Vec<ExperimentSummary> = client.list("/experiments", &[])?;
    let called: Vec<i64> = all.iter().filter(|one| one.name == given).map(|one| one.id).collect();
    newest(&called, given)
}

/// The first of the experiments with this name, the newest first; reports the choice if there are several.
pub(super) fn newest(called: &[i64], name: &str) -> Result<i64, Failure> {
    match *called {
        [] => Err(anyhow!("there is no experiment `{name}`; `optlab experiments` lists them").into()),
        [id] => Ok(id),
        [newest, ..] => {
            let count = called.len();
            output::note(format!(
                "optlab: {count} experiments have the name `{name}`; {newest} is the newest"
            ));
            Ok(newest)
        }
    }
}
