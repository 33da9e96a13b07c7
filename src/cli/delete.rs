//! `optlab delete`: deletes an experiment.

use std::io::{self, IsTerminal};

use optlab_api_types::Experiment;
use serde_json::json;

use super::client::ServerArgs;
use super::{Failure, output, progress, which};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id of the experiment, or its name if no other experiment has it
    experiment: String,
    /// Delete without asking for the name
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    server: ServerArgs,
    /// Print the id and the name as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    let id = which::find_only(&client, &args.experiment)?;
    let path = format!("/experiments/{id}");
    let experiment: Experiment = client.get(&path)?;
    let name = &experiment.summary.name;
    if !args.yes {
        confirm(&experiment)?;
    }
    client.delete(&path, &[("name", name)])?;
    Ok(match args.json {
        true => output::json(&json!({ "id": id, "name": name })),
        false => output::line(format!("Experiment {id} `{name}` is deleted.")),
    }?)
}

/// Asks for the name of the experiment.
fn confirm(experiment: &Experiment) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage("nobody can confirm the deletion here; --yes confirms it".to_owned()));
    }
    let summary = &experiment.summary;
    output::note(format!(
        "Experiment {} `{}` ({}) will be deleted with its curves and files. This cannot be undone.\nType its name to \
         delete it:",
        summary.id,
        summary.name,
        progress::state(summary)
    ));
    let mut typed = String::new();
    io::stdin().read_line(&mut typed)?;
    match typed.trim() == summary.name {
        true => Ok(()),
        false => Err(Failure::Other(anyhow::anyhow!("this is not its name; nothing was deleted"))),
    }
}
