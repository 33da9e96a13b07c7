//! `optlab add-arms`: adds arms to an experiment.

use std::path::PathBuf;

use optlab_api_types::Experiment;

use super::client::ServerArgs;
use super::{Failure, input, progress, which};
use crate::api::BODY_LIMIT;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id or name of the experiment; the newest of that name
    experiment: String,
    /// File with the new arms, as [[arms]] of a spec in TOML, or {"arms": [...]} in JSON
    file: PathBuf,
    #[command(flatten)]
    server: ServerArgs,
    /// Print the server's answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    let id = which::find(&client, &args.experiment)?;
    let text = input::text(&args.file, BODY_LIMIT)?;
    let experiment: Experiment = client.post_document(&format!("/experiments/{id}/arms"), &text)?;
    Ok(progress::print(&client, &experiment, args.json)?)
}
