//! `optlab recipes`: the built-in experiments.

use clap::Subcommand;
use optlab_api_types::Recipe;
use optlab_spec::recipes;

use super::table::print_list;
use super::{Failure, output};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Print a recipe as a start for your own
    Show {
        /// Name of the recipe
        name: String,
    },
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Some(Command::Show { name }) => {
            let recipe =
                recipes::find(name).map_err(|problems| Failure::Usage(problems.list[0].detail.clone()))?;
            match args.json {
                true => output::json(&recipe.value())?,
                false => output::verbatim(recipe.toml.as_bytes())?,
            }
        }
        None if args.json => {
            let view = |recipe: &recipes::Recipe| Recipe {
                name: recipe.name.to_owned(),
                description: recipe.description(),
            };
            output::json(&recipes::ALL.iter().map(view).collect::<Vec<_>>())?;
        }
        None => {
            print_list(recipes::ALL.iter().map(|recipe| [recipe.name.to_owned(), recipe.description()]))?;
        }
    }
    Ok(())
}
