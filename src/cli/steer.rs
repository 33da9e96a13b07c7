//! `optlab cancel`, `pause`, `resume` and `retry`: what is to become of jobs.

use clap::ArgGroup;
use serde_json::Value;

use super::client::{Client, ClientError, ServerArgs};
use super::jobs::Job;
use super::watch::Experiment;
use super::{Failure, experiments};

#[derive(clap::Args)]
#[command(group = ArgGroup::new("which").args(["experiment", "job"]).required(true))]
pub(super) struct Args {
    /// Id or name of an experiment, for all its jobs
    experiment: Option<String>,
    /// Id of one job
    #[arg(long, value_name = "ID")]
    job: Option<i64>,
    #[command(flatten)]
    server: ServerArgs,
    /// Print the server's answer as JSON
    #[arg(long)]
    json: bool,
}

/// What a person wants.
#[derive(Clone, Copy)]
pub(super) enum Wish {
    Cancel,
    Pause,
    Resume,
    Retry,
}

impl Wish {
    /// The last part of the route.
    fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Retry => "retry",
        }
    }
}

pub(super) fn run(wish: Wish, args: &Args) -> Result<(), Failure> {
    let client = args.server.client();
    let answer = match (args.job, &args.experiment) {
        (Some(job), _) => steer_job(&client, wish, job)?,
        (None, Some(experiment)) => {
            let id = experiments::find(&client, experiment)?;
            steer_experiment(&client, wish, id)?
        }
        (None, None) => unreachable!("one of both is required"),
    };
    if args.json {
        println!("{answer:#}");
    } else if args.job.is_some() {
        let job: Job = serde_json::from_value(answer)?;
        println!("Job {}: {}", job.id, job.condition());
    } else {
        let experiment: Experiment = serde_json::from_value(answer)?;
        println!("Experiment {} `{}`: {experiment}", experiment.id, experiment.name);
    }
    Ok(())
}

fn steer_job(client: &Client, wish: Wish, job: i64) -> Result<Value, ClientError> {
    client.post(&format!("/jobs/{job}/{}", wish.as_str()), &Value::Null)
}

/// The experiment afterwards.
fn steer_experiment(client: &Client, wish: Wish, id: i64) -> Result<Value, ClientError> {
    let path = format!("/experiments/{id}");
    let states = match wish {
        Wish::Cancel | Wish::Retry => {
            return client.post(&format!("{path}/{}", wish.as_str()), &Value::Null);
        }
        Wish::Pause => &["queued", "running"][..],
        Wish::Resume => &["paused"],
    };
    // An experiment that does not exist has no jobs either, and should be told from one without.
    client.get::<Value>(&path)?;
    let experiment = id.to_string();
    for state in states {
        for job in client.list::<Job>("/jobs", &[("experiment", &experiment), ("state", state)])? {
            match steer_job(client, wish, job.id) {
                // It has ended in the meantime.
                Ok(_) | Err(ClientError::Refused(409, _)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    client.get(&path)
}
