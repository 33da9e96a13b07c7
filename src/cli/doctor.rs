//! `optlab doctor`: what is missing on this machine, and what to type.

use std::path::Path;

use optlab_data::{Library, State};

use super::Failure;
use super::serve::runtime;
use crate::api;
use crate::config::default_runner;
use crate::worker::{ProbeError, probe};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The program that trains [default: optlab-runner beside this program]
    #[arg(long, env = "OPTLAB_RUNNER", value_name = "PATH")]
    runner: Option<std::path::PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    println!("optlab {}", env!("CARGO_PKG_VERSION"));
    let can_train = report_runner(&args.runner.clone().unwrap_or_else(default_runner))?;
    if api::has_dashboard() {
        println!("[ok]      dashboard: built in");
    } else {
        println!("[missing] dashboard: this program was compiled without it");
        println!("          type: make web && cargo build --release");
    }
    report_data();
    if can_train { Ok(()) } else { Err(Failure::Told) }
}

/// Whether anything can be trained here.
fn report_runner(runner: &Path) -> Result<bool, Failure> {
    match runtime()?.block_on(probe(runner)) {
        Ok(probe) => {
            println!("[ok]      libtorch {}, opened by {}", probe.libtorch, runner.display());
            for device in probe.devices {
                println!("[ok]      device {}: {}", device.device, device.name);
            }
            Ok(true)
        }
        Err(ProbeError::Missing(path)) => {
            println!("[missing] the program that trains: {} does not exist", path.display());
            println!("          type: make setup && cargo build --release");
            Ok(false)
        }
        Err(error @ ProbeError::Broken(_)) => {
            println!("[missing] {error}");
            println!("          optlab-runner needs libtorch 2.11.0 in the folder that it was built with.");
            println!("          type: make setup && cargo build --release");
            Ok(false)
        }
    }
}

fn report_data() {
    let library = Library::from_env();
    if let Some(given) = library.given.as_ref().filter(|given| !given.is_dir()) {
        println!("[missing] OPTLAB_DATA_DIR: {} is no folder", given.display());
    }
    for dataset in optlab_data::all() {
        match library.state(*dataset) {
            State::BuiltIn => println!("[ok]      data set {}: built in", dataset.name()),
            State::Present(folder) => {
                println!("[ok]      data set {}: in {}", dataset.name(), folder.display())
            }
            State::Absent(bytes) => {
                let megabytes = bytes as f64 / 1e6;
                println!(
                    "[later]   data set {}: fetched when first used ({megabytes:.1} MB)",
                    dataset.name()
                );
                println!("          now: optlab data fetch {}", dataset.name());
            }
        }
    }
}
