//! `optlab train`: one run, here, without a server or a database.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use optlab_data::Library;
use optlab_spec::protocol::{Command, Environment, Event, Point, Run, Summary};
use optlab_spec::{Arm, Device, ExperimentSpec, JobSpec, series};
use tokio::time::timeout;

use super::serve::runtime;
use super::spec::SpecArgs;
use super::{Failure, data};
use crate::config::default_runner;
use crate::worker::{Runner, Slots, probe};

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
    let spec = ExperimentSpec::from_value(&args.spec.value()?)?;
    let arm = choose_arm(&spec, args.arm.as_deref())?;
    let job = spec.job(arm, args.seed.map_or(spec.seeds[0], u64::from));
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

fn choose_arm<'a>(spec: &'a ExperimentSpec, wanted: Option<&str>) -> Result<&'a Arm, Failure> {
    let names = || spec.arms.iter().map(|arm| arm.name.as_str()).collect::<Vec<_>>().join(", ");
    match (wanted, spec.arms.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => Err(Failure::Usage(format!("choose an arm with --arm: {}", names()))),
        (Some(wanted), arms) => arms
            .iter()
            .find(|arm| arm.name == wanted)
            .ok_or_else(|| Failure::Usage(format!("there is no arm `{wanted}`; there is {}", names()))),
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
    let device = match (device, job.resources.device) {
        (Some(device), _) => device,
        (None, Device::Cpu) => Device::Cpu.as_str().to_owned(),
        (None, Device::Any | Device::Cuda) => probe.slots(&Slots::Count(Some(1))).remove(0),
    };
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
            Some(Event::Finished { summary }) => return screen.finish(&summary),
            Some(Event::Failed(failure)) => {
                screen.bar.abandon();
                let at = failure.step.map(|step| format!(" at step {step}")).unwrap_or_default();
                bail!("{}{at}: {}", failure.reason.as_str(), failure.error);
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
    test_accuracy: Option<f64>,
    energy: Option<f64>,
    loss: Option<f64>,
}

impl Screen {
    fn new(job: &JobSpec, environment: &Environment, folder: PathBuf) -> anyhow::Result<Self> {
        fs::write(folder.join("spec.json"), serde_json::to_vec_pretty(job)?)?;
        let Environment { device, device_name, libtorch, threads, .. } = environment;
        println!(
            "{} with seed {} on {device} ({device_name}), {threads} threads, libtorch {libtorch}",
            job.arm, job.seed
        );
        let template = "{bar:32} {pos}/{len}  {msg}  {eta} left";
        let style = ProgressStyle::with_template(template).expect("a valid template");
        let bar = ProgressBar::new(job.train.total_steps()).with_style(style);
        let mut points = File::create(folder.join("metrics.csv"))?;
        writeln!(points, "series,step,value,time_ms")?;
        Ok(Self { folder, bar, points, test_accuracy: None, energy: None, loss: None })
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
                self.bar.set_message(self.figures());
            }
            Event::Log { message } => self.bar.println(message),
            Event::Started { .. }
            | Event::Checkpoint { .. }
            | Event::Paused { .. }
            | Event::Finished { .. }
            | Event::Failed(_) => {}
        }
        Ok(())
    }

    fn note(&mut self, point: &Point) -> anyhow::Result<()> {
        writeln!(self.points, "{},{},{},{}", point.series, point.step, point.value, point.time_ms)?;
        match point.series.as_str() {
            series::TEST_ACCURACY => self.test_accuracy = Some(point.value),
            series::ENERGY_MEAN => self.energy = Some(point.value),
            series::TRAIN_LOSS => self.loss = Some(point.value),
            _ => {}
        }
        Ok(())
    }

    fn figures(&self) -> String {
        let shown =
            |name: &str, value: Option<f64>, digits: usize| value.map(|v| format!("{name} {v:.digits$}"));
        let parts = [
            shown("loss", self.loss, 4),
            shown("test accuracy %", self.test_accuracy, 2),
            shown("energy", self.energy, 5),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
    }

    fn finish(&self, summary: &Summary) -> anyhow::Result<String> {
        self.bar.finish();
        fs::write(self.folder.join("summary.json"), serde_json::to_vec_pretty(summary)?)?;
        let Summary { seconds, parameters_trained, .. } = summary;
        Ok(format!(
            "{}  ({seconds:.1} s, {parameters_trained} parameters trained)
Files: {}
Weights: {}",
            self.figures(),
            self.folder.display(),
            self.folder.join("weights.safetensors").display()
        ))
    }
}
