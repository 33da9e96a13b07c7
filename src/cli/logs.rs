//! `optlab logs`: what the runner of a job has said.

use std::io::{self, ErrorKind};

use serde_json::json;

use super::Failure;
use super::client::ServerArgs;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id of the job
    job: i64,
    /// Number of the attempt [default: the last that has a log]
    #[arg(long)]
    attempt: Option<u64>,
    #[command(flatten)]
    server: ServerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let attempt = args.attempt.map(|number| format!("?attempt={number}")).unwrap_or_default();
    let mut text = args.server.client().text(&format!("/jobs/{}/logs{attempt}", args.job))?;
    if args.json {
        println!("{:#}", json!({ "job": args.job, "text": io::read_to_string(text)? }));
        return Ok(());
    }
    match io::copy(&mut text, &mut io::stdout().lock()) {
        // Nobody reads on, as with `| head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        copied => Ok(copied.map(|_| ())?),
    }
}
