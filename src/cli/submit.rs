//! `optlab submit`: submits an experiment, and watches it on request.

use optlab_api_types::{DryRun, Submission};
use optlab_spec::arms;
use optlab_spec::schema::WrittenSpec;

use super::client::ServerArgs;
use super::progress;
use super::spec::SpecArgs;
use super::watch::to_the_end;
use super::{Failure, output};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    spec: SpecArgs,
    /// Keep only this arm; can be repeated
    #[arg(long = "arm", value_name = "ARM")]
    arms: Vec<String>,
    #[command(flatten)]
    server: ServerArgs,
    /// Wait and show the progress; the exit status is 0 only if every job succeeded
    #[arg(long)]
    watch: bool,
    /// Only check and show the resolved spec
    #[arg(long)]
    dry_run: bool,
    /// Print the server's answer as JSON; with --watch at the end, with the comparison
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    let mut spec = args.spec.value()?;
    if !args.arms.is_empty() {
        arms::keep(&mut spec, &args.arms)?;
    }
    let submission = Submission::Spec(WrittenSpec(spec));
    if args.dry_run {
        let answer: DryRun = client.post("/experiments?dry_run=true", &submission)?;
        return Ok(output::json(&answer)?);
    }
    let submitted = client.submit(&submission)?;
    let id = submitted.id;
    let page = client.page(id);
    let said = format!("Experiment {id} `{}`, {} jobs: {page}", submitted.name, submitted.jobs.len());
    match (args.json, args.watch) {
        (false, _) => output::line(said)?,
        // Standard output has only the document at the end.
        (true, true) => output::note(said),
        (true, false) => output::json(&submitted)?,
    }
    if let Ok(experiment) = progress::get(&client, id) {
        progress::warn(&client, &experiment);
    }
    if !args.watch {
        return Ok(());
    }
    to_the_end(&client, id, args.json)
}
