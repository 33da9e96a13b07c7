//! `optlab jobs`: lists jobs, and why they failed.

use serde::{Deserialize, Serialize};

use super::client::{Client, ClientError, List, ServerArgs};
use super::table::table;
use super::{Failure, experiments, output};

/// Maximum number of failures or remarks to print; the rest are only counted.
const TOLD: u64 = 10;

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

/// A job in the server's answer.
#[derive(Deserialize, Serialize)]
pub(super) struct Job {
    pub(super) id: i64,
    experiment_id: i64,
    arm: String,
    method: String,
    seed: u64,
    state: String,
    requested: Option<String>,
    end_reason: Option<String>,
    error: Option<String>,
    attempt: u64,
    priority: i64,
    step: u64,
    steps: u64,
    device: Option<String>,
    why_queued: Option<String>,
    trouble: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    let experiment = args.experiment.as_deref().map(|given| experiments::find(&client, given)).transpose()?;
    let experiment = experiment.map(|id| id.to_string());
    let filters = [("experiment", &experiment), ("state", &args.state), ("arm", &args.arm)];
    let filters: Vec<(&str, &str)> =
        filters.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    let jobs: Vec<Job> = client.jobs(&filters)?;
    if args.json {
        return Ok(output::json(&jobs)?);
    }
    let mut table =
        table(["job", "experiment", "arm", "seed", "state", "step", "attempt", "device"], &[0, 1, 3, 5, 6]);
    table.add_rows(jobs.iter().map(row));
    output::line(table.trim_fmt())?;
    let remarks: Vec<_> = jobs.iter().filter_map(|job| Some((job.id, job.remark()?))).collect();
    for (job, remark) in remarks.iter().take(TOLD as usize) {
        output::line(format!("job {job}: {remark}"))?;
    }
    if remarks.len() > TOLD as usize {
        output::line(format!("and {} more: --json has them all", remarks.len() - TOLD as usize))?;
    }
    Ok(())
}

fn row(job: &Job) -> [String; 8] {
    [
        job.id.to_string(),
        job.experiment_id.to_string(),
        job.arm.clone(),
        job.seed.to_string(),
        job.condition(),
        format!("{}/{}", job.step, job.steps),
        job.attempt.to_string(),
        job.device.clone().unwrap_or_else(|| "-".to_owned()),
    ]
}

impl Job {
    fn line(&self, error: &str) -> String {
        format!("job {}, {} with seed {}: {error}", self.id, self.arm, self.seed)
    }

    /// The state with what explains it: `failed (diverged)`, `running (pause)`.
    pub(super) fn condition(&self) -> String {
        let reason = self.end_reason.as_ref().filter(|_| self.state == "failed");
        match self.requested.as_ref().or(reason) {
            Some(why) => format!("{} ({why})", self.state),
            None => self.state.clone(),
        }
    }

    /// What is wrong with the job: the warning of its worker, or why it was queued again.
    fn remark(&self) -> Option<&str> {
        self.trouble.as_deref().or_else(|| self.why_queued.as_deref().filter(|_| self.attempt > 0))
    }
}

/// Prints a line on standard error for each job that succeeded without all of its files; returns their number.
pub(super) fn warn_of_missing_files(client: &Client, experiment: i64) -> Result<u64, ClientError> {
    let experiment = experiment.to_string();
    let jobs: Vec<Job> = client.jobs(&[("experiment", &experiment), ("state", "succeeded")])?;
    let incomplete = jobs.iter().filter_map(|job| Some((job, job.error.as_deref()?)));
    let lines: Vec<String> = incomplete.map(|(job, error)| job.line(error)).collect();
    for line in lines.iter().take(TOLD as usize) {
        output::note(line);
    }
    if lines.len() > TOLD as usize {
        output::note(format!(
            "and {} more succeeded without all of their files",
            lines.len() - TOLD as usize
        ));
    }
    Ok(lines.len() as u64)
}

/// One line on standard error for each failed job of an experiment, `failed` in number.
pub(super) fn tell_failures(client: &Client, experiment: i64, failed: u64) {
    let path = format!("/jobs?experiment={experiment}&state=failed&limit={TOLD}");
    // The count has been printed, so an error here is ignored.
    let Ok(List::<Job> { items, .. }) = client.get(&path) else { return };
    for job in items {
        let reason = job.end_reason.as_deref().unwrap_or_default();
        let error = job.error.as_deref().and_then(|error| error.lines().next()).unwrap_or(reason);
        output::note(job.line(error));
    }
    if failed > TOLD {
        output::note(format!("and {} more: optlab jobs {experiment} --state failed", failed - TOLD));
    }
}
