//! `optlab add-seeds`: adds seeds to an experiment.

use optlab_api_types::{Experiment, Seeds};

use super::client::ServerArgs;
use super::{Failure, progress, which};

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
    let id = which::find(&client, &args.experiment)?;
    let seeds = Seeds { seeds: args.seeds.clone() };
    let experiment: Experiment = client.post(&format!("/experiments/{id}/seeds"), &seeds)?;
    Ok(progress::print(&client, &experiment, args.json)?)
}
