//! `optlab jobs`: lists jobs, and why they failed.

use optlab_api_types::{Job, List};
use optlab_domain::JobState;

use super::client::{Client, ClientError, ServerArgs};
use super::table::table;
use super::{Failure, output, which};

/// Maximum number of failures or remarks to print; the rest are only counted.
const TOLD: usize = 10;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id or name of an experiment [default: all]
    experiment: Option<String>,
    /// Only jobs in this state: queued, running, paused, succeeded, failed or cancelled
    #[arg(long)]
    state: Option<String>,
    /// Only jobs of this arm
    #[arg(long)]
    arm: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    let experiment = args.experiment.as_deref().map(|given| which::find(&client, given)).transpose()?;
    let experiment = experiment.map(|id| id.to_string());
    let filters = [("experiment", &experiment), ("state", &args.state), ("arm", &args.arm)];
    let filters: Vec<(&str, &str)> =
        filters.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    let jobs = client.jobs(&filters)?;
    if args.json {
        return Ok(output::json(&jobs)?);
    }
    let mut table =
        table(["job", "experiment", "arm", "seed", "state", "step", "attempt", "device"], &[0, 1, 3, 5, 6]);
    table.add_rows(jobs.iter().map(row));
    output::line(table.trim_fmt())?;
    let remarks: Vec<_> = jobs.iter().filter_map(|job| Some((job.id, remark(job)?))).collect();
    for (job, remark) in remarks.iter().take(TOLD) {
        output::line(format!("job {job}: {remark}"))?;
    }
    if remarks.len() > TOLD {
        output::line(format!("and {} more: --json has them all", remarks.len() - TOLD))?;
    }
    Ok(())
}

fn row(job: &Job) -> [String; 8] {
    [
        job.id.to_string(),
        job.experiment_id.to_string(),
        job.arm.clone(),
        job.seed.to_string(),
        condition(job),
        format!("{}/{}", job.step, job.steps),
        job.attempt.to_string(),
        job.device.clone().unwrap_or_else(|| "-".to_owned()),
    ]
}

fn line(job: &Job, error: &str) -> String {
    format!("job {}, {} with seed {}: {error}", job.id, job.arm, job.seed)
}

/// The state with what explains it: `failed (diverged)`, `running (pause)`.
pub(super) fn condition(job: &Job) -> String {
    let reason = job.end_reason.filter(|_| job.state == JobState::Failed);
    match (job.requested, reason) {
        (Some(request), _) => format!("{} ({request})", job.state),
        (None, Some(reason)) => format!("{} ({reason})", job.state),
        (None, None) => job.state.to_string(),
    }
}

/// What is wrong with the job: the warning of its worker, or why it was queued again.
fn remark(job: &Job) -> Option<&str> {
    job.trouble.as_deref().or_else(|| job.why_queued.as_deref().filter(|_| job.attempt > 0))
}

/// Prints a line on standard error for each job that succeeded without all of its files; returns their number.
pub(super) fn warn_of_missing_files(client: &Client, experiment: i64) -> Result<usize, ClientError> {
    let experiment = experiment.to_string();
    let jobs = client.jobs(&[("experiment", &experiment), ("state", "succeeded")])?;
    let incomplete = jobs.iter().filter_map(|job| Some((job, job.error.as_deref()?)));
    let lines: Vec<String> = incomplete.map(|(job, error)| line(job, error)).collect();
    for line in lines.iter().take(TOLD) {
        output::note(line);
    }
    if lines.len() > TOLD {
        output::note(format!("and {} more succeeded without all of their files", lines.len() - TOLD));
    }
    Ok(lines.len())
}

/// One line on standard error for each failed job of an experiment, `failed` in number.
pub(super) fn tell_failures(client: &Client, experiment: i64, failed: i64) {
    let path = format!("/jobs?experiment={experiment}&state=failed&limit={TOLD}");
    // The count has been printed, so an error here is ignored.
    let Ok(List::<Job> { items, .. }) = client.get(&path) else { return };
    for job in items {
        let reason = job.end_reason.map_or("", Into::into);
        let error = job.error.as_deref().and_then(|error| error.lines().next()).unwrap_or(reason);
        output::note(line(&job, error));
    }
    let more = failed - TOLD as i64;
    if more > 0 {
        output::note(format!("and {more} more: optlab jobs {experiment} --state failed"));
    }
}
