//! `optlab doctor`: checks this machine, and prints commands that install what is missing.

mod finding;
mod folders;

use std::path::{Path, PathBuf};

use optlab_data::{Library, State};
use optlab_domain::DeviceKind;
use optlab_spec::protocol::{BUILD, ProbedDevice, UnusableGpus};
use serde_json::json;

use super::serve::block_on;
use super::{Failure, output};
use crate::api;
use crate::config::{self, ServiceSettings};
use crate::pilots;
use crate::store::Memory;
use crate::worker::{ProbeError, memories, probe};
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
    let build = format!("run: {BUILD}");
    let found = match block_on(probe(runner))? {
        Ok(probe) => {
            let opened = format!("libtorch {}, opened by {}", probe.libtorch, runner.display());
            let opened = Verdict::Ok.finding(opened);
            let unusable = probe.unusable_gpus.as_ref().map(|UnusableGpus { why, cure }| {
                Verdict::Broken.finding(why).cured_by(format!("{cure}\n{}", UnusableGpus::USE_THE_CPU))
            });
            let runs = unusable.is_none();
            let devices = probe.devices.iter().zip(memories(&probe));
            let devices = devices.map(|(probed, memory)| look_at_device(probed, memory));
            return Ok((runs, [opened].into_iter().chain(devices).chain(unusable).collect()));
        }
        Err(ProbeError::Missing(path)) => {
            let what = format!("optlab-runner: {} does not exist", path.display());
            Verdict::Missing.finding(what).cured_by(build)
        }
        Err(error @ ProbeError::Broken(_)) => Verdict::Broken.finding(error.to_string()).cured_by(format!(
            "optlab-runner needs libtorch 2.11.0 in the folder that it was built with.\n{build}"
        )),
    };
    Ok((false, vec![found]))
}

/// A GPU with less free memory than this share of it trains nothing large.
const LITTLE_FREE: f64 = 0.1;

fn look_at_device(probed: &ProbedDevice, memory: Option<Memory>) -> Finding {
    let text = format!("device {}: {}", probed.device, probed.name);
    match memory {
        Some(Memory { total_bytes, used_bytes }) if probed.device.kind() == DeviceKind::Cuda => {
            let [used, total] = [used_bytes, total_bytes].map(|bytes| bytes as f64 / 1e9);
            let found = Verdict::Ok.finding(format!("{text}, {used:.1} of {total:.1} GB in use"));
            match total - used < LITTLE_FREE * total {
                true => {
                    found.cured_by("it has little free memory; `nvidia-smi` lists the processes that use it")
                }
                false => found,
            }
        }
        _ => Verdict::Ok.finding(text),
    }
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

#[cfg(test)]
mod tests {
    use optlab_domain::Device;

    use super::*;

    #[test]
    fn a_gpu_whose_memory_is_in_use_is_reported() {
        let gpu = ProbedDevice { device: Device::Cuda(0), name: "NVIDIA H200".to_owned(), uuid: None };
        let seen = |used: u64| {
            look_at_device(
                &gpu,
                Some(Memory { total_bytes: 140_000_000_000, used_bytes: used * 1_000_000_000 }),
            )
        };
        let full = seen(135);
        assert_eq!(full.what, "device cuda:0: NVIDIA H200, 135.0 of 140.0 GB in use");
        assert!(full.cure.unwrap().contains("nvidia-smi"));
        assert!(seen(100).cure.is_none());
    }
}
