//! `optlab query-child`: the child process in which a server runs a query to SQLite.

use std::path::PathBuf;

use super::Failure;
use crate::store::answer_query_of_stdin;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The database
    file: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    // The error was written to standard output in place of the answer.
    if answer_query_of_stdin(&args.file)? { Ok(()) } else { Err(Failure::Told) }
}
