//! `optlab add-seeds`: adds seeds to an experiment.

use serde_json::{Value, json};

use super::client::ServerArgs;
use super::progress::Experiment;
use super::{Failure, experiments, output};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id or name of the experiment; the newest of that name
    experiment: String,
    /// Seeds for every arm, such as 5 6 7; existing seeds are ignored
    #[arg(required = true, value_name = "SEED")]
    seeds: Vec<u64>,
    #[command(flatten)]
    server: ServerArgs,
    /// Print the server's answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    let id = experiments::find(&client, &args.experiment)?;
    let answer: Value = client.post(&format!("/experiments/{id}/seeds"), &json!({ "seeds": args.seeds }))?;
    if args.json {
        return Ok(output::json(&answer)?);
    }
    let experiment: Experiment = serde_json::from_value(answer)?;
    output::line(format!("Experiment {id} `{}`: {experiment}", experiment.name))?;
    experiment.warn(&client);
    Ok(())
}
