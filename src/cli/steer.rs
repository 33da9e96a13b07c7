//! `optlab cancel`, `pause`, `resume` and `retry`.

use clap::ArgGroup;
use optlab_api_types::{ActionResult, Job};
use optlab_domain::{Action, JobId};
use serde::Serialize;

use super::client::ServerArgs;
use super::jobs::condition;
use super::{Failure, output, progress, which};

#[derive(clap::Args)]
#[command(group = ArgGroup::new("which").args(["experiment", "job"]).required(true))]
pub(super) struct Args {
    /// Id or name of an experiment, for all its jobs
    experiment: Option<String>,
    /// Id of one job
    #[arg(long, value_name = "ID", value_parser = which::id::<JobId>)]
    job: Option<JobId>,
    #[command(flatten)]
    server: ServerArgs,
    /// Print the server's answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(action: Action, args: &Args) -> Result<(), Failure> {
    let client = args.server.client()?;
    match (args.job, &args.experiment) {
        (Some(job), _) => {
            let job: Job = client.post(&format!("/jobs/{job}/{action}"), &())?;
            tell(args.json, &job, |job| format!("Job {}: {}", job.record.id, condition(job)))
        }
        (None, Some(experiment)) => {
            let id = which::find(&client, experiment)?;
            let result: ActionResult = client.post(&format!("/experiments/{id}/{action}"), &())?;
            tell(args.json, &result, |ActionResult { changed_jobs, experiment }| {
                let nothing = match changed_jobs {
                    0 => format!("; no job to {action}"),
                    _ => String::new(),
                };
                let summary = &experiment.summary;
                format!("Experiment {id} `{}`: {}{nothing}", summary.name, progress::state(summary))
            })
        }
        (None, None) => unreachable!("one of both is required"),
    }
}

fn tell<T: Serialize>(json: bool, answer: &T, sentence: impl FnOnce(&T) -> String) -> Result<(), Failure> {
    Ok(match json {
        true => output::json(answer),
        false => output::line(sentence(answer)),
    }?)
}
