//! `optlab spec schema`: the schema of specs, for editors.

use clap::Subcommand;
use optlab_spec::written::json_schema;

use super::{Failure, output};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the JSON Schema of a spec, by which an editor completes and checks one
    Schema,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match args.command {
        Command::Schema => Ok(output::json(&json_schema())?),
    }
}
