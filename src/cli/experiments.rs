//! `optlab experiments`: lists the experiments of a server.

use optlab_api_types::ExperimentSummary;

use super::client::ServerArgs;
use super::progress::counts;
use super::table::table;
use super::{Failure, output};

#[derive(clap::Args)]
pub(super) struct Args {
    /// List archived experiments too
    #[arg(long)]
    archived: bool,
    #[command(flatten)]
    server: ServerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    let mut experiments: Vec<ExperimentSummary> = client.list("/experiments", &[])?;
    experiments.retain(|experiment| args.archived || !experiment.archived);
    if args.json {
        return Ok(output::json(&experiments)?);
    }
    if experiments.is_empty() {
        output::note("optlab: no experiments; --archived lists archived ones too");
        return Ok(());
    }
    let mut table = table(["id", "name", "submitted", "arms", "seeds", "jobs"], &[0, 3, 4]);
    table.add_rows(experiments.into_iter().map(row));
    Ok(output::line(table.trim_fmt())?)
}

fn row(experiment: ExperimentSummary) -> [String; 6] {
    let ExperimentSummary { id, name, created_at, arms, seeds, .. } = experiment;
    [
        id.to_string(),
        name,
        submitted(&created_at),
        arms.len().to_string(),
        seeds.len().to_string(),
        counts(experiment.counts),
    ]
}

/// The time of a submission. Seconds suffice to distinguish two submissions, and the server's times are UTC.
pub(super) fn submitted(created_at: &str) -> String {
    created_at.split(['.', 'Z']).next().unwrap_or_default().replace('T', " ") + "Z"
}
