//! `optlab add-arms`: adds arms to an experiment.

use std::path::PathBuf;

use optlab_api_types::Experiment;
use optlab_spec::submission::is_json;

use super::client::ServerArgs;
use super::mistakes::Mistakes;
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
    let path = args.file.display().to_string();
    let file = (!is_json(&text)).then_some((path.as_str(), text.as_str()));
    let mistakes = Mistakes { file, assignments: &[] };
    let experiment: Experiment = client
        .post_document(&format!("/experiments/{id}/arms"), &text)
        .map_err(|error| mistakes.located(error.into()))?;
    Ok(progress::print(&client, &experiment, args.json)?)
}
