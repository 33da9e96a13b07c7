//! `optlab logs`: prints the log of a job.

use std::io;

use optlab_domain::{AttemptNumber, JobId};
use serde_json::json;

use super::client::ServerArgs;
use super::{Failure, output, which};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id of the job
    #[arg(value_parser = which::id::<JobId>)]
    job: JobId,
    /// Number of the attempt [default: the last one with a log]
    #[arg(long)]
    attempt: Option<AttemptNumber>,
    #[command(flatten)]
    server: ServerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let attempt = args.attempt.map(|number| format!("?attempt={number}")).unwrap_or_default();
    let text = args.server.client()?.text(&format!("/jobs/{}/logs{attempt}", args.job))?;
    if args.json {
        return Ok(output::json(&json!({ "job": args.job, "text": io::read_to_string(text)? }))?);
    }
    Ok(output::verbatim(text)?)
}
