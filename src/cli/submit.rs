//! `optlab submit`: submits an experiment, and watches it on request.

use optlab_domain::counted;
use optlab_spec::arms;
use optlab_spec::submission::is_json;

use super::client::{Client, ServerArgs};
use super::progress;
use super::provenance::provenance;
use super::spec::{Changes, Written};
use super::watch::to_the_end;
use super::{Failure, output};

#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("written").required(true))]
pub(super) struct Args {
    /// Name of a recipe, or a file (JSON if it ends in .json, else TOML)
    #[arg(value_name = "RECIPE|FILE", group = "written")]
    source: Option<String>,
    /// Start from the submission of this experiment (its id, or its name: the newest of that name) instead of a recipe
    /// or file; inherited fields stay inherited
    #[arg(long, value_name = "EXPERIMENT", group = "written")]
    from: Option<String>,
    #[command(flatten)]
    options: Options,
}

#[derive(clap::Args)]
pub(super) struct CloneArgs {
    /// Id or name of the experiment; the newest of that name
    experiment: String,
    #[command(flatten)]
    options: Options,
}

#[derive(clap::Args)]
struct Options {
    #[command(flatten)]
    changes: Changes,
    /// Keep only this arm; can be repeated
    #[arg(long = "arm", value_name = "ARM")]
    arms: Vec<String>,
    #[command(flatten)]
    server: ServerArgs,
    /// Wait and show the progress; the exit status is 0 only if every job succeeded
    #[arg(long)]
    watch: bool,
    /// Only check and show the resolved spec: as TOML if the spec was written in TOML, otherwise, and with --json, as
    /// JSON with the jobs that it makes
    #[arg(long)]
    dry_run: bool,
    /// Print the server's answer as JSON; with --watch at the end, with the comparison
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.options.server.client()?;
    let written = match (&args.from, &args.source) {
        (Some(experiment), _) => Written::of_experiment(&client, experiment)?,
        (None, Some(source)) => Written::read(source)?,
        (None, None) => unreachable!("one of both is required"),
    };
    submit(&client, written, &args.options)
}

/// The same as `submit --from`.
pub(super) fn run_clone(args: &CloneArgs) -> Result<(), Failure> {
    let client = args.options.server.client()?;
    let written = Written::of_experiment(&client, &args.experiment)?;
    submit(&client, written, &args.options)
}

fn submit(client: &Client, written: Written, args: &Options) -> Result<(), Failure> {
    let is_toml = !is_json(&written.text);
    let mut spec = args.changes.apply(written.spec.clone())?;
    if !args.arms.is_empty() {
        arms::keep(&mut spec, &args.arms)?;
    }
    // The server stores the text. An unchanged file is sent as it is, with its comments.
    let text = if spec == written.spec { written.text.clone() } else { spec.to_string() };
    let mistakes = written.mistakes(&args.changes);
    if args.dry_run {
        let checked = client.check_spec(&text).map_err(|error| mistakes.located(error.into()))?;
        // In the language of the file. A few specs have no TOML.
        let toml = checked.spec.to_toml().filter(|_| is_toml && !args.json);
        return Ok(toml.map_or_else(|| output::json(&checked), |text| output::line(text.trim_end()))?);
    }
    let submitted = client
        .submit(&text, &provenance(|word| args.server.hide_token(word)))
        .map_err(|error| mistakes.located(error.into()))?;
    let id = submitted.id;
    let page = client.page(id);
    let jobs = counted(submitted.jobs.len(), "job");
    let said = format!("Experiment {id} `{}`, {jobs}: {page}", submitted.name);
    match (args.json, args.watch) {
        (false, _) => output::line(said)?,
        // Standard output has only the document at the end.
        (true, true) => output::note(said),
        (true, false) => output::json(&submitted)?,
    }
    if let Ok(experiment) = progress::get(client, id) {
        progress::warn(client, &experiment);
    }
    if !args.watch {
        return Ok(());
    }
    to_the_end(client, id, args.json)
}
