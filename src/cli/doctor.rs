//! `optlab doctor`: checks this machine, and prints commands that install what is missing.

mod finding;
mod folders;

use std::path::{Path, PathBuf};

use optlab_data::{Library, State};
use serde_json::json;

use super::serve::block_on;
use super::{Failure, output};
use crate::api;
use crate::config::{self, ServiceSettings};
use crate::pilots;
use crate::worker::{ProbeError, probe};
use finding::{Finding, Verdict};
use folders::look_at_folders;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The settings of `optlab serve`
    #[command(flatten)]
    settings: ServiceSettings,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let (settings, library) = (&args.settings, Library::from_env());
    let (runs, mut findings) = look_at_runner(&settings.training.runner.program)?;
    findings.push(look_at_dashboard());
    let (has_room, folders) = look_at_folders(settings, &library);
    findings.extend(folders);
    findings.extend(look_at_data(&library));
    findings.extend(look_at_slurm(settings.database.config.as_ref())?);
    let can_train = runs && has_room;
    let version = env!("CARGO_PKG_VERSION");
    if args.json {
        output::json(&json!({ "version": version, "can_train": can_train, "findings": findings }))?;
    } else {
        output::line(format!("optlab {version}"))?;
        for Finding { verdict, what, cure } in &findings {
            output::line(format!("{} {what}", verdict.label()))?;
            for line in cure.iter().flat_map(|cure| cure.lines()) {
                output::line(format!("          {line}"))?;
            }
        }
    }
    if can_train { Ok(()) } else { Err(Failure::Told) }
}

/// Whether jobs can be trained here, and on which devices.
fn look_at_runner(runner: &Path) -> Result<(bool, Vec<Finding>), Failure> {
    const BUILD: &str = "run: make setup && cargo build --release";
    let found = match block_on(probe(runner))? {
        Ok(probe) => {
            let opened = format!("libtorch {}, opened by {}", probe.libtorch, runner.display());
            let device = |device: optlab_spec::protocol::ProbedDevice| {
                Verdict::Ok.finding(format!("device {}: {}", device.device, device.name))
            };
            let devices = probe.devices.into_iter().map(device);
            return Ok((true, [Verdict::Ok.finding(opened)].into_iter().chain(devices).collect()));
        }
        Err(ProbeError::Missing(path)) => {
            let what = format!("optlab-runner: {} does not exist", path.display());
            Verdict::Missing.finding(what).cured_by(BUILD)
        }
        Err(error @ ProbeError::Broken(_)) => Verdict::Broken.finding(error.to_string()).cured_by(format!(
            "optlab-runner needs libtorch 2.11.0 in the folder that it was built with.\n{BUILD}"
        )),
    };
    Ok((false, vec![found]))
}

fn look_at_dashboard() -> Finding {
    if api::has_dashboard() {
        return Verdict::Ok.finding("dashboard: built in");
    }
    let cure = "run: make web && cargo build --release";
    Verdict::Missing.finding("dashboard: this program was compiled without it").cured_by(cure)
}

/// Looks at Slurm if the settings have pools, or if its commands are installed.
fn look_at_slurm(config: Option<&PathBuf>) -> Result<Vec<Finding>, Failure> {
    let wanted = !config::pools(config)?.is_empty();
    Ok(block_on(async {
        match pilots::version().await {
            Ok(version) => match pilots::ping().await {
                Ok(controller) => vec![Verdict::Ok.finding(format!("{version}: {controller}"))],
                Err(error) => vec![
                    Verdict::Broken
                        .finding(format!("{version}: its controller does not answer: {error}"))
                        .cured_by("run: scontrol ping"),
                ],
            },
            Err(_) if !wanted => Vec::new(),
            Err(error) => vec![
                Verdict::Missing.finding(format!("the settings have pools of Slurm, but {error}")).cured_by(
                    "install or configure Slurm's client programs here, or keep the pools where they are",
                ),
            ],
        }
    })?)
}

fn look_at_data(library: &Library) -> Vec<Finding> {
    let given = library.given.as_ref().filter(|given| !given.is_dir());
    let no_folder = given.map(|given| {
        Verdict::Missing.finding(format!("OPTLAB_DATA_DIR: {} is not a folder", given.display()))
    });
    let sets = optlab_data::all().iter().map(|dataset| {
        let (name, is) = (dataset.name(), |what: String| format!("data set {}: {what}", dataset.name()));
        match library.state(*dataset) {
            State::BuiltIn => Verdict::Ok.finding(is("built in".to_owned())),
            State::Present(folder) => Verdict::Ok.finding(is(format!("in {}", folder.display()))),
            State::Altered(file) => Verdict::Broken
                .finding(is(format!("{} is truncated or altered", file.display())))
                .cured_by(if library.is_given(&file) {
                    "it is your own file: replace it by the official one, or delete it".to_owned()
                } else {
                    format!("run: optlab data fetch {name}")
                }),
            State::Absent(bytes) => Verdict::Later
                .finding(is(format!("downloaded on first use ({:.1} MB)", bytes as f64 / 1e6)))
                .cured_by(format!("to download it now: optlab data fetch {name}")),
        }
    });
    no_folder.into_iter().chain(sets).collect()
}
