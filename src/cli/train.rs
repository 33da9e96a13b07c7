//! `optlab train`: one run, here, without a server or a database.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use optlab_data::Library;
use optlab_spec::protocol::{Command, Environment, Event, Point, Run, Summary};
use optlab_spec::{Device, ExperimentSpec, JobSpec, arms};
use serde_json::Value;
use tokio::time::timeout;

use super::figures::Figures;
use super::serve::runtime;
use super::spec::SpecArgs;
use super::{Failure, data};
use crate::config::default_runner;
use crate::worker::{Probe, Runner, probe};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    spec: SpecArgs,
    /// Name of the arm; may be left out where there is only one
    #[arg(long)]
    arm: Option<String>,
    /// The seed [default: the first of the spec]
    #[arg(long)]
    seed: Option<u32>,
    /// cpu, cuda:0, ... [default: by the spec's resources.device; for `any` the first GPU, else cpu]
    #[arg(long)]
    device: Option<String>,
    /// Folder for the files of the run
    #[arg(long, default_value = "runs", value_name = "FOLDER")]
    out: PathBuf,
    /// The program that trains [default: optlab-runner beside this program]
    #[arg(long, env = "OPTLAB_RUNNER", value_name = "PATH")]
    runner: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let mut spec = args.spec.value()?;
    choose_arm(&mut spec, args.arm)?;
    let spec = ExperimentSpec::from_value(&spec)?;
    let job = spec.job(&spec.arms[0], args.seed.map_or(spec.seeds[0], u64::from));
    if let Some(dataset) = optlab_data::find(&job.train.data.name) {
        data::fetch(&Library::from_env(), dataset)?;
    }
    let runner = args.runner.unwrap_or_else(default_runner);
    let name = format!("{}-{}-seed{}", spec.name, job.arm, job.seed);
    let limit = Duration::from_secs(spec.time_limit_seconds);
    let finished = runtime()?.block_on(async {
        timeout(limit, train(&runner, args.device, job, &Place { parent: args.out, name })).await
    });
    let finished =
        finished.with_context(|| format!("longer than time_limit_seconds = {}", limit.as_secs()))??;
    println!("{finished}");
    Ok(())
}

/// Leaves one arm, before any is checked: mistakes of the others do not matter here.
fn choose_arm(spec: &mut Value, wanted: Option<String>) -> Result<(), Failure> {
    match (wanted, arms::names(spec).as_slice()) {
        // That there is none is for whoever reads the spec to tell.
        (_, []) | (None, [_]) => Ok(()),
        (None, names) => Err(Failure::Usage(format!("choose an arm with --arm: {}", names.join(", ")))),
        (Some(wanted), _) => Ok(arms::keep(spec, &[wanted])?),
    }
}

/// Where to train: as `asked`, else what the spec wants.
fn choose_device(probe: &Probe, asked: Option<String>, wanted: Device) -> anyhow::Result<String> {
    let gpu = probe.devices.iter().map(|probed| &probed.device).find(|device| device.starts_with("cuda"));
    match (asked, wanted, gpu) {
        (Some(device), ..) => Ok(device),
        (None, Device::Any | Device::Cuda, Some(gpu)) => Ok(gpu.clone()),
        (None, Device::Any | Device::Cpu, _) => Ok(Device::Cpu.as_str().to_owned()),
        (None, Device::Cuda, None) => bail!(
            "the spec wants `cuda`, and libtorch finds no GPU here; --device cpu or --set resources.device=cpu trains \
             on the CPU"
        ),
    }
}

/// Where the files of a run go.
struct Place {
    parent: PathBuf,
    name: String,
}

/// A folder that did not exist: an earlier run is never overwritten.
fn fresh_folder(Place { parent, name }: &Place) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
    for number in 1.. {
        let folder = parent.join(if number == 1 { name.clone() } else { format!("{name}-{number}") });
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            result => return result.map(|()| folder.clone()).with_context(|| folder.display().to_string()),
        }
    }
    unreachable!("there are more numbers than folders")
}

async fn train(runner: &Path, device: Option<String>, job: JobSpec, place: &Place) -> anyhow::Result<String> {
    let probe =
        probe(runner).await.context("nothing can be trained here; `optlab doctor` says what to do")?;
    let device = choose_device(&probe, device, job.resources.device)?;
    let runner = Runner::start(runner, job.train.precision)?;
    let folder = fresh_folder(place)?;
    let artifact_dir = Some(fs::canonicalize(&folder)?);
    let begun =
        begin(runner, Run { job: 0, attempt: 1, device, spec: job.clone(), artifact_dir, resume_from: None })
            .await;
    if begun.is_err() {
        // Nothing is left behind by a run that cannot begin.
        let _ = fs::remove_dir(&folder);
    }
    let (mut runner, environment) = begun?;
    let mut screen = Screen::new(&job, &environment, folder)?;
    loop {
        let event = tokio::select! {
            event = runner.next_event() => event?,
            _ = tokio::signal::ctrl_c() => bail!("stopped; what was measured so far is in {}", screen.folder.display()),
        };
        match event {
            Some(Event::Finished { summary }) => {
                runner.retire().await;
                return screen.finish(&summary);
            }
            Some(Event::Failed(failure)) => {
                screen.bar.abandon();
                bail!("{}: {}", failure.reason.as_str(), failure.error);
            }
            Some(event) => screen.show(event)?,
            None => bail!("{}", runner.obituary().await),
        }
    }
}

/// Up to the first event, which says where the job runs.
async fn begin(mut runner: Runner, run: Run) -> anyhow::Result<(Runner, Environment)> {
    runner.send(&Command::Run(Box::new(run))).await?;
    match runner.next_event().await? {
        Some(Event::Started { environment, .. }) => Ok((runner, environment)),
        Some(Event::Failed(failure)) => bail!("{}", failure.error),
        Some(event) => bail!("the runner began with {event:?}"),
        None => bail!("{}", runner.obituary().await),
    }
}

/// The progress bar, and the file of points behind it.
struct Screen {
    folder: PathBuf,
    bar: ProgressBar,
    points: File,
    last: Figures,
}

impl Screen {
    fn new(job: &JobSpec, environment: &Environment, folder: PathBuf) -> anyhow::Result<Self> {
        fs::write(folder.join("spec.json"), serde_json::to_vec_pretty(job)?)?;
        let Environment { device, device_name, libtorch, threads, .. } = environment;
        println!(
            "{} with seed {} on {device} ({device_name}), {threads} {}, libtorch {libtorch}",
            job.arm,
            job.seed,
            if *threads == 1 { "thread" } else { "threads" }
        );
        // The bar has what the figures leave of the terminal's width.
        let template = "{wide_bar} {pos}/{len}  {msg}  {eta} left";
        let style = ProgressStyle::with_template(template).expect("a valid template");
        let bar = ProgressBar::new(job.train.total_steps()).with_style(style);
        let mut points = File::create(folder.join("metrics.csv"))?;
        writeln!(points, "series,step,value,time_ms")?;
        Ok(Self { folder, bar, points, last: Figures::default() })
    }

    fn show(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Metrics { points } => {
                for point in &points {
                    self.note(point)?;
                }
            }
            Event::Progress { step, .. } => {
                self.bar.set_position(step);
                self.bar.set_message(self.last.in_short());
            }
            Event::Log { message } => self.bar.println(message),
            Event::Started { .. }
            | Event::Checkpoint { .. }
            | Event::Paused { .. }
            | Event::UnusableCheckpoint
            | Event::Finished { .. }
            | Event::Failed(_) => {}
        }
        Ok(())
    }

    fn note(&mut self, point: &Point) -> anyhow::Result<()> {
        writeln!(self.points, "{},{},{},{}", point.series, point.step, point.value, point.time_ms)?;
        self.last.note(point);
        Ok(())
    }

    fn finish(&self, summary: &Summary) -> anyhow::Result<String> {
        self.bar.finish();
        fs::write(self.folder.join("summary.json"), serde_json::to_vec_pretty(summary)?)?;
        let Summary { seconds, parameters_trained, .. } = summary;
        Ok(format!(
            "{}  ({seconds:.1} s, {parameters_trained} parameters trained)
Files: {}
Weights: {}",
            self.last.in_full(),
            self.folder.display(),
            self.folder.join("weights.safetensors").display()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::ProbedDevice;

    #[test]
    fn a_gpu_that_is_wanted_and_missing_is_no_cpu() {
        let probe = |devices: &[&str]| {
            let device =
                |&device: &&str| ProbedDevice { device: device.to_owned(), name: String::new(), uuid: None };
            Probe { libtorch: String::new(), devices: devices.iter().map(device).collect() }
        };
        let (with, without) = (probe(&["cpu", "cuda:0"]), probe(&["cpu"]));
        let chosen = |probe: &Probe, wanted| choose_device(probe, None, wanted).unwrap();
        assert_eq!(
            [Device::Any, Device::Cuda, Device::Cpu].map(|d| chosen(&with, d)),
            ["cuda:0", "cuda:0", "cpu"]
        );
        assert_eq!([Device::Any, Device::Cpu].map(|d| chosen(&without, d)), ["cpu", "cpu"]);
        let error = choose_device(&without, None, Device::Cuda).unwrap_err().to_string();
        assert!(error.contains("--set resources.device=cpu"), "{error}");
        assert_eq!(choose_device(&without, Some("cpu".to_owned()), Device::Cuda).unwrap(), "cpu");
    }
}
