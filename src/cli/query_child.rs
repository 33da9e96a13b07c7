//! `optlab query-child`: the process in which a server has a query to SQLite answered.

use std::path::PathBuf;

use super::Failure;
use crate::store::answer_query_of_stdin;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The database
    file: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    // Why there is no answer is written where the answer would be.
    if answer_query_of_stdin(&args.file)? { Ok(()) } else { Err(Failure::Told) }
}
