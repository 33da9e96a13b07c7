//! `optlab submit`: send an experiment, and watch it if wanted.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::Value;

use super::client::{Client, ClientError, ServerArgs};
use super::spec::SpecArgs;
use super::{Failure, compare};

const ASK_EVERY: Duration = Duration::from_millis(500);
/// A server that restarts is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    server: ServerArgs,
    /// Stay and show how far it is; the exit status says whether every job succeeded
    #[arg(long)]
    watch: bool,
    /// Only check and show the resolved spec
    #[arg(long)]
    dry_run: bool,
    /// Print the server's answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client();
    let spec = args.spec.value()?;
    if args.dry_run {
        let answer: Value = client.post("/experiments?dry_run=true", &spec)?;
        println!("{answer:#}");
        return Ok(());
    }
    let submitted = client.submit(&spec)?;
    if args.json {
        println!(
            "{}",
            serde_json::json!({ "id": submitted.id, "name": submitted.name, "jobs": submitted.jobs })
        );
    } else {
        let jobs = submitted.jobs.len();
        println!(
            "Experiment {} `{}`, {jobs} jobs: {}",
            submitted.id,
            submitted.name,
            client.page(submitted.id)
        );
    }
    if !args.watch {
        return Ok(());
    }
    let all_well = watch(&client, submitted.id)?;
    compare::print_table(&client, submitted.id)?;
    if !all_well {
        eprintln!("optlab: some jobs did not succeed; {} says why", client.page(submitted.id));
        return Err(Failure::Told);
    }
    Ok(())
}

#[derive(Deserialize)]
struct Experiment {
    counts: Counts,
    step: u64,
    steps: u64,
    eta_seconds: Option<f64>,
}

#[derive(Deserialize)]
struct Counts {
    queued: u64,
    running: u64,
    paused: u64,
    succeeded: u64,
    failed: u64,
    cancelled: u64,
}

/// Shows how far an experiment is until all its jobs have ended; whether all of them succeeded.
pub(super) fn watch(client: &Client, id: i64) -> anyhow::Result<bool> {
    let style = ProgressStyle::with_template("{bar:32} {percent:>3}%  {msg}").expect("a valid template");
    let bar = ProgressBar::new(1).with_style(style);
    let mut heard = Instant::now();
    loop {
        match client.get::<Experiment>(&format!("/experiments/{id}")) {
            Ok(experiment) => {
                heard = Instant::now();
                bar.set_length(experiment.steps);
                bar.set_position(experiment.step);
                bar.set_message(describe(&experiment));
                let Counts { queued, running, paused, failed, cancelled, .. } = experiment.counts;
                if queued + running + paused == 0 {
                    bar.finish_and_clear();
                    println!("{}", describe(&experiment));
                    return Ok(failed + cancelled == 0);
                }
            }
            Err(ClientError::Unreachable(text)) if heard.elapsed() < PATIENCE => {
                bar.set_message(format!("waiting for the server: {text}"));
            }
            Err(error) => return Err(error.into_anyhow()),
        }
        std::thread::sleep(ASK_EVERY);
    }
}

fn describe(experiment: &Experiment) -> String {
    let Counts { queued, running, paused, succeeded, failed, cancelled } = experiment.counts;
    let states = [
        (succeeded, "succeeded"),
        (running, "running"),
        (queued, "queued"),
        (paused, "paused"),
        (failed, "failed"),
        (cancelled, "cancelled"),
    ];
    let mut parts: Vec<String> = states
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, state)| format!("{count} {state}"))
        .collect();
    if let Some(seconds) = experiment.eta_seconds {
        let left = Duration::from_secs(seconds.round() as u64);
        parts.push(format!("about {} left", indicatif::HumanDuration(left)));
    }
    parts.join(", ")
}
