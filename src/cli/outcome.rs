//! Lines on standard error about the jobs of an experiment that failed or lack files.

use optlab_api_types::{Job, List};
use optlab_domain::ExperimentId;

use super::client::Client;
use super::client_error::ClientError;
use super::output;

/// Maximum number of failures or remarks to print; the rest are only counted.
pub(super) const TOLD: usize = 10;

/// Prints a line on standard error for each job that succeeded without all of its files; returns their number.
pub(super) fn warn_of_missing_files(client: &Client, experiment: ExperimentId) -> Result<usize, ClientError> {
    let experiment = experiment.to_string();
    let jobs = client.jobs(&[("experiment", &experiment), ("state", "succeeded")])?;
    let incomplete = jobs.iter().filter_map(|job| Some((job, job.record.error.as_deref()?)));
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
pub(super) fn tell_failures(client: &Client, experiment: ExperimentId, failed: i64) {
    let path = format!("/jobs?experiment={experiment}&state=failed&limit={TOLD}");
    // The count has been printed, so an error here is ignored.
    let Ok(List::<Job> { items, .. }) = client.get(&path) else { return };
    for job in items {
        let reason = job.record.end_reason.map_or("", Into::into);
        let error = job.record.error.as_deref().and_then(|error| error.lines().next()).unwrap_or(reason);
        output::note(line(&job, error));
    }
    let more = failed - TOLD as i64;
    if more > 0 {
        output::note(format!("and {more} more: optlab jobs {experiment} --state failed"));
    }
}

fn line(job: &Job, error: &str) -> String {
    let trial = job.record.trial.map_or(String::new(), |trial| format!(" (trial {trial})"));
    format!("job {}, {}{trial} with seed {}: {error}", job.record.id, job.record.arm, job.record.seed)
}
