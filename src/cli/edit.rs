//! `optlab rename`, `archive` and `unarchive`.

use optlab_api_types::{Edit, Experiment};

use super::client::ServerArgs;
use super::{Failure, output, which};

#[derive(clap::Args)]
pub(super) struct RenameArgs {
    /// Id or name of the experiment; the newest of that name
    experiment: String,
    /// The new name
    name: String,
    #[command(flatten)]
    server: ServerArgs,
    /// Print the server's answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(super) struct ArchiveArgs {
    /// Id or name of the experiment; the newest of that name
    experiment: String,
    #[command(flatten)]
    server: ServerArgs,
    /// Print the server's answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn rename(args: &RenameArgs) -> Result<(), Failure> {
    let edit = Edit { name: Some(args.name.clone()), ..Edit::default() };
    let experiment = apply(&args.server, &args.experiment, &edit)?;
    tell(args.json, &experiment, "has its new name")
}

pub(super) fn archive(archived: bool, args: &ArchiveArgs) -> Result<(), Failure> {
    let edit = Edit { archived: Some(archived), ..Edit::default() };
    let experiment = apply(&args.server, &args.experiment, &edit)?;
    let said = if archived { "is archived; lists leave it out" } else { "is in the list again" };
    tell(args.json, &experiment, said)
}

fn apply(server: &ServerArgs, experiment: &str, edit: &Edit) -> Result<Experiment, Failure> {
    let client = server.client()?;
    let id = which::find(&client, experiment)?;
    Ok(client.patch(&format!("/experiments/{id}"), edit)?)
}

fn tell(json: bool, experiment: &Experiment, said: &str) -> Result<(), Failure> {
    let summary = &experiment.summary;
    Ok(match json {
        true => output::json(experiment),
        false => output::line(format!("Experiment {} `{}` {said}.", summary.id, summary.name)),
    }?)
}
