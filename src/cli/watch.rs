//! `optlab watch`: waits until an experiment has ended, and prints the result.

use optlab_domain::ExperimentId;
use serde_json::json;

use super::client::{Client, ServerArgs};
use super::client_error::ClientError;
use super::progress::{state, watch};
use super::{Failure, compare, output, which};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id or name of the experiment; the newest of that name
    experiment: String,
    #[command(flatten)]
    server: ServerArgs,
    /// Print its jobs and the comparison as JSON at the end
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    let id = which::find(&client, &args.experiment)?;
    to_the_end(&client, id, args.json)
}

/// Watches an experiment and prints the result; fails if its jobs failed.
pub(super) fn to_the_end(client: &Client, id: ExperimentId, json: bool) -> Result<(), Failure> {
    let ended = watch(client, id)?;
    if json {
        let jobs = client.jobs(&[("experiment", &id.to_string())])?;
        let comparison = compare::fetch(client, id).map_err(ClientError::into_anyhow)?;
        output::json(
            &json!({ "id": id, "name": ended.experiment.summary.name, "jobs": jobs, "comparison": comparison }),
        )?;
    } else {
        output::line(state(&ended.experiment.summary))?;
        compare::print_table(client, id)?;
    }
    if !ended.is_well() {
        output::note(format!(
            "optlab: some jobs did not succeed or lack files; {} shows more",
            client.page(id)
        ));
        return Err(Failure::Told);
    }
    Ok(())
}
