//! `optlab cancel`, `pause`, `resume` and `retry`.

use clap::ArgGroup;
use optlab_domain::Action;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::ServerArgs;
use super::jobs::Job;
use super::progress::{Counts, Experiment};
use super::{Failure, experiments, output};

#[derive(clap::Args)]
#[command(group = ArgGroup::new("which").args(["experiment", "job"]).required(true))]
pub(super) struct Args {
    /// Id or name of an experiment, for all its jobs
    experiment: Option<String>,
    /// Id of one job
    #[arg(long, value_name = "ID", value_parser = experiments::id)]
    job: Option<i64>,
    #[command(flatten)]
    server: ServerArgs,
    /// Print the server's answer as JSON
    #[arg(long)]
    json: bool,
}

/// The number of jobs to which an action applies.
fn concerned(action: Action, counts: Counts) -> u64 {
    let Counts { queued, running, paused, failed, cancelled, .. } = counts;
    match action {
        Action::Cancel => queued + running + paused,
        Action::Pause => queued + running,
        Action::Resume => paused,
        Action::Retry => failed + cancelled,
    }
}

pub(super) fn run(action: Action, args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    match (args.job, &args.experiment) {
        (Some(job), _) => {
            let answer = client.post(&format!("/jobs/{job}/{action}"), &Value::Null)?;
            tell(args.json, answer, |job: Job| format!("Job {}: {}", job.id, job.condition()))
        }
        (None, Some(experiment)) => {
            let id = experiments::find(&client, experiment)?;
            // Distinguishes an experiment that does not exist from one without jobs.
            let before = Experiment::get(&client, id)?.counts;
            let answer = client.post(&format!("/experiments/{id}/{action}"), &Value::Null)?;
            let nothing = match concerned(action, before) {
                0 => format!("; there was nothing to {action}"),
                _ => String::new(),
            };
            tell(args.json, answer, |experiment: Experiment| {
                format!("Experiment {id} `{}`: {experiment}{nothing}", experiment.name)
            })
        }
        (None, None) => unreachable!("one of both is required"),
    }
}

fn tell<T: DeserializeOwned>(
    json: bool,
    answer: Value,
    sentence: impl FnOnce(T) -> String,
) -> Result<(), Failure> {
    Ok(match json {
        true => output::json(&answer),
        false => output::line(sentence(serde_json::from_value(answer)?)),
    }?)
}
