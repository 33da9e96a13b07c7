//! `optlab jobs`: lists jobs, and why they failed.

use optlab_api_types::Job;
use optlab_domain::{AttemptNumber, JobRecord, JobState};

use super::client::ServerArgs;
use super::outcome::TOLD;
use super::table::table;
use super::{Failure, output, which};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id or name of an experiment [default: all]
    experiment: Option<String>,
    /// Only jobs in this state: running, queued, paused, succeeded, failed or cancelled
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
    if jobs.is_empty() {
        output::note("optlab: no jobs match");
        return Ok(());
    }
    let mut table = table(
        ["job", "experiment", "arm", "phase", "seed", "state", "step", "attempt", "device"],
        &[0, 1, 4, 6, 7],
    );
    table.add_rows(jobs.iter().map(row));
    output::line(table.trim_fmt())?;
    let remarks: Vec<_> = jobs.iter().filter_map(|job| Some((job.record.id, remark(job)?))).collect();
    for (job, remark) in remarks.iter().take(TOLD) {
        output::line(format!("job {job}: {remark}"))?;
    }
    if remarks.len() > TOLD {
        output::line(format!("and {} more: --json has them all", remarks.len() - TOLD))?;
    }
    Ok(())
}

fn row(job: &Job) -> [String; 9] {
    [
        job.record.id.to_string(),
        job.record.experiment_id.to_string(),
        job.record.arm.clone(),
        phase(&job.record),
        job.record.seed.to_string(),
        condition(job),
        format!("{}/{}", job.record.step, job.record.steps),
        job.record.attempt.to_string(),
        job.device.clone().unwrap_or_else(|| "-".to_owned()),
    ]
}

/// `confirm`, or `trial 3`.
fn phase(job: &JobRecord) -> String {
    job.trial.map_or_else(|| job.phase.to_string(), |trial| format!("{} {trial}", job.phase))
}

/// The state with what explains it: `failed (diverged)`, `running (pause)`.
pub(super) fn condition(job: &Job) -> String {
    let reason = job.record.end_reason.filter(|_| job.record.state == JobState::Failed);
    match (job.record.requested, reason) {
        (Some(request), _) => format!("{} ({request})", job.record.state),
        (None, Some(reason)) => format!("{} ({reason})", job.record.state),
        (None, None) => job.record.state.to_string(),
    }
}

/// What is wrong with the job: the warning of its worker, or why it was queued again.
fn remark(job: &Job) -> Option<&str> {
    job.trouble
        .as_deref()
        .or_else(|| job.why_queued.as_deref().filter(|_| job.record.attempt > AttemptNumber::NONE))
}
