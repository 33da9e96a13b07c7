//! `optlab data`: list, fetch and verify the data sets.

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use optlab_data::{Dataset, Library, Progress, State};
use serde_json::json;

use super::table::print_list;
use super::{Failure, output};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the data sets and the locations of their files
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Download the files of these data sets, or of all, from their official addresses
    Fetch {
        /// Names of data sets
        names: Vec<String>,
    },
    /// Verify the local files of these data sets, or of all
    Verify {
        /// Names of data sets
        names: Vec<String>,
    },
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let library = Library::from_env();
    match &args.command {
        Command::List { json } => list(&library, *json)?,
        Command::Fetch { names } => {
            for dataset in chosen(names)? {
                fetch(&library, dataset)?;
            }
        }
        Command::Verify { names } => verify(&library, &chosen(names)?, !names.is_empty())?,
    }
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static dyn Dataset>, Failure> {
    if names.is_empty() {
        return Ok(optlab_data::all().to_vec());
    }
    let known = || optlab_data::all().iter().map(|dataset| dataset.name()).collect::<Vec<_>>().join(", ");
    let find = |name: &String| {
        optlab_data::find(name)
            .ok_or_else(|| Failure::Usage(format!("there is no data set `{name}`; there is {}", known())))
    };
    names.iter().map(find).collect()
}

fn list(library: &Library, json: bool) -> anyhow::Result<()> {
    let rows = optlab_data::all().iter().map(|dataset| (*dataset, library.state(*dataset)));
    if json {
        let row = |(dataset, state): (&dyn Dataset, State)| {
            let place = describe(&state);
            json!({ "name": dataset.name(), "about": dataset.about(), "state": place })
        };
        return output::json(&rows.map(row).collect::<serde_json::Value>());
    }
    print_list(
        rows.map(|(dataset, state)| {
            [dataset.name().to_owned(), dataset.about().to_owned(), describe(&state)]
        }),
    )
}

fn describe(state: &State) -> String {
    match state {
        State::BuiltIn => "built in".to_owned(),
        State::Present(folder) => format!("in {}", folder.display()),
        State::Altered(file) => format!("truncated or altered: {}", file.display()),
        State::Absent(bytes) => format!("not on this machine ({:.1} MB to download)", *bytes as f64 / 1e6),
    }
}

/// Downloads missing or damaged files, with a progress bar.
pub(super) fn fetch(library: &Library, dataset: &dyn Dataset) -> Result<(), Failure> {
    let mut progress = Bar::default();
    library.contents(dataset, &mut progress)?;
    progress.0.finish_and_clear();
    Ok(output::line(format!("{}: {}", dataset.name(), describe(&library.state(dataset))))?)
}

/// Data sets that were `named` must be on this machine.
fn verify(library: &Library, datasets: &[&'static dyn Dataset], named: bool) -> Result<(), Failure> {
    let mut all_well = true;
    for &dataset in datasets {
        let result = match library.state(dataset) {
            State::Absent(_) => {
                let text =
                    format!("not on this machine; `optlab data fetch {}` downloads it", dataset.name());
                if named { Err(text) } else { Ok(text) }
            }
            _ => match library.verify(dataset) {
                Ok(()) => Ok("complete and official".to_owned()),
                Err(error) => Err(error.to_string()),
            },
        };
        all_well &= result.is_ok();
        output::line(format!("{}: {}", dataset.name(), result.unwrap_or_else(|error| error)))?;
    }
    if all_well { Ok(()) } else { Err(Failure::Told) }
}

/// One progress bar per file.
struct Bar(ProgressBar);

impl Default for Bar {
    fn default() -> Self {
        let template = "{msg:<28} {bar:32} {bytes:>10} of {total_bytes:<10} {bytes_per_sec:>12}  {eta} left";
        let style = ProgressStyle::with_template(template).expect("a valid template");
        Self(ProgressBar::no_length().with_style(style))
    }
}

impl Progress for Bar {
    fn fetched(&mut self, file: &str, done: u64, total: u64) {
        if self.0.message() != file {
            self.0.reset();
            self.0.set_message(file.to_owned());
        }
        self.0.set_length(total);
        self.0.set_position(done);
    }
}
