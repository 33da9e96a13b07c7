//! `optlab show`: an experiment with its arms, its verdict and the spec as it was written.

use optlab_api_types::{Experiment, Job, StoredSubmission};
use optlab_domain::{Counts, Phase};
use serde_json::{Value, json};

use super::client::ServerArgs;
use super::table::table;
use super::{Failure, compare, experiments, output, progress, which};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id or name of the experiment; the newest of that name
    experiment: String,
    #[command(flatten)]
    server: ServerArgs,
    /// Print the experiment, its submission and its comparison as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    let id = which::find(&client, &args.experiment)?;
    let experiment: Experiment = client.get(&format!("/experiments/{id}"))?;
    let submission: StoredSubmission = client.get(&format!("/experiments/{id}/submission"))?;
    let comparison = compare::fetch(&client, id)?;
    if args.json {
        return Ok(output::json(
            &json!({ "experiment": experiment, "submission": submission, "comparison": comparison }),
        )?);
    }
    let jobs = client.jobs(&[("experiment", &id.to_string())])?;
    for line in heading(&experiment) {
        output::line(line)?;
    }
    let is_tuned = experiment.summary.tuning.is_some();
    let header = ["arm", "method", "trials", "jobs"].into_iter().filter(|name| is_tuned || *name != "trials");
    let mut arms = table(header, &[]);
    for arm in &experiment.summary.arms {
        let of = |phase| {
            let jobs = jobs.iter().filter(|job| job.record.arm == arm.name && job.record.phase == phase);
            progress::counts(counts(jobs))
        };
        let mut row = vec![arm.name.clone(), arm.method.clone()];
        row.extend(is_tuned.then(|| of(Phase::Trial)));
        row.push(of(Phase::Confirm));
        arms.add_row(row);
    }
    output::line(format!("\n{}\n\n{}\n", arms.trim_fmt(), comparison.verdict))?;
    // Specs in JSON are often one line.
    let text = match submission.text {
        Some(text) => serde_json::from_str(&text).map_or(text, |spec: Value| format!("{spec:#}")),
        None => format!("{:#}", submission.draft.0),
    };
    Ok(output::line(text.trim_end())?)
}

fn heading(experiment: &Experiment) -> Vec<String> {
    let summary = &experiment.summary;
    let archived = if summary.archived { ", archived" } else { "" };
    let submitted = experiments::submitted(&summary.created_at);
    let mut lines = vec![
        format!("Experiment {} `{}`: {}{archived}", summary.id, summary.name, progress::state(summary)),
        format!("Submitted {submitted}"),
    ];
    lines.extend(experiment.provenance.commit().map(|commit| format!("Commit: {commit}")));
    lines.extend(experiment.provenance.command_line.iter().map(|line| format!("Command: {line}")));
    if !summary.tags.is_empty() {
        lines.push(format!("Tags: {}", summary.tags.join(", ")));
    }
    if !summary.notes.is_empty() {
        lines.push(summary.notes.trim_end().to_owned());
    }
    lines
}

fn counts<'a>(jobs: impl Iterator<Item = &'a Job>) -> Counts {
    let mut counts = Counts::default();
    for job in jobs {
        *counts.get_mut(job.record.state) += 1;
    }
    counts
}
