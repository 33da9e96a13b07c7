//! `optlab priority`: changes the priority of an experiment's jobs.

use optlab_api_types::{Edit, Experiment};

use super::client::ServerArgs;
use super::{Failure, output, progress, which};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id or name of the experiment; the newest of that name
    experiment: String,
    /// Priority; jobs of higher priority are claimed first, and the default is 0
    #[arg(allow_negative_numbers = true)]
    priority: i64,
    #[command(flatten)]
    server: ServerArgs,
    /// Print the server's answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    let id = which::find(&client, &args.experiment)?;
    let edit = Edit { priority: Some(args.priority), ..Edit::default() };
    let experiment: Experiment = client.patch(&format!("/experiments/{id}"), &edit)?;
    if args.json {
        return Ok(output::json(&experiment)?);
    }
    let summary = &experiment.summary;
    let (name, state) = (&summary.name, progress::state(summary));
    Ok(output::line(format!("Experiment {id} `{name}`: {state}, priority {}", args.priority))?)
}
