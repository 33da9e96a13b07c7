//! `optlab priority`: changes the priority of an experiment's jobs.

use serde_json::{Value, json};

use super::client::ServerArgs;
use super::progress::Experiment;
use super::{Failure, experiments, output};

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
    let id = experiments::find(&client, &args.experiment)?;
    let edit = json!({ "priority": args.priority });
    let answer: Value = client.patch(&format!("/experiments/{id}"), &edit)?;
    if args.json {
        return Ok(output::json(&answer)?);
    }
    let experiment: Experiment = serde_json::from_value(answer)?;
    let name = &experiment.name;
    Ok(output::line(format!("Experiment {id} `{name}`: {experiment}, priority {}", args.priority))?)
}
