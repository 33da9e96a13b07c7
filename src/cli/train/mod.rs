//! `optlab train`: one run, here, without a server or a database.

mod checkpoints;
mod files;
mod finished;
mod folder;
mod origin;
mod points;
mod screen;
mod summary;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use optlab_data::Library;
use optlab_domain::{AttemptNumber, Device, JobId, Request, WantedDevice};
use optlab_spec::protocol::{Command, Event, Probe, Run, Version};
use optlab_spec::{ExperimentSpec, JobSpec, arms};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use self::checkpoints::Checkpoint;
pub(super) use self::finished::FinishedRun;
use self::folder::RunFolder;
use self::origin::{Began, Origin};
use self::screen::Screen;
use super::provenance::provenance;
use super::serve::block_on;
use super::signals::Signals;
use super::spec::{Changes, Written};
use super::{Failure, data};
use crate::clock::{Clock, SystemClock};
use crate::config::RunnerSettings;
use crate::worker::{Runner, probe};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Name of a recipe, or a file (JSON if it ends in .json, else TOML)
    #[arg(value_name = "RECIPE|FILE", required_unless_present = "resume")]
    source: Option<String>,
    #[command(flatten)]
    changes: Changes,
    /// Name of the arm; may be omitted if there is only one
    #[arg(long)]
    arm: Option<String>,
    /// The seed [default: the first of the spec]
    #[arg(long)]
    seed: Option<u32>,
    /// cpu, cuda:0, ... [default: from the spec's resources.device; for `any`, the first GPU, else cpu]
    #[arg(long)]
    device: Option<Device>,
    /// Folder for the files of the run
    #[arg(long, default_value = "runs", value_name = "FOLDER")]
    out: PathBuf,
    /// Resume an interrupted run from its last intact checkpoint; names the folder of its files
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["source", "assignments", "arm", "seed", "out"])]
    resume: Option<PathBuf>,
    #[command(flatten)]
    runner: RunnerSettings,
}

/// What to train, and where to store its files.
struct Plan {
    job: JobSpec,
    time_limit: Duration,
    start: Start,
}

enum Start {
    /// In a new folder of this name, below `parent`.
    Fresh { parent: PathBuf, name: String, origin: Box<Origin> },
    /// From the checkpoint of an interrupted run.
    Resumed(RunFolder, Checkpoint),
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let runner = args.runner.program.clone();
    let device = args.device;
    let plan = match (&args.resume, &args.source) {
        (Some(folder), _) => Plan::resumed(folder)?,
        (None, Some(source)) => Plan::fresh(source, &args)?,
        (None, None) => unreachable!("one of both is required"),
    };
    if let Some(dataset) = optlab_data::find(&plan.job.train.data.name) {
        data::fetch(&Library::from_env(), dataset)?;
    }
    Ok(block_on(train(&runner, device, plan))??)
}

impl Plan {
    fn fresh(source: &str, args: &Args) -> Result<Self, Failure> {
        let read = Written::read(source)?;
        let mut written = args.changes.apply(read.spec.clone())?;
        choose_arm(&mut written, args.arm.clone())?;
        let spec = ExperimentSpec::from_value(&written)
            .map_err(|error| read.mistakes(&args.changes).located(error.into()))?;
        if spec.tune.is_some() {
            return Err(Failure::Usage(
                "a tuned spec makes many runs: submit it to a server with `optlab submit`, or remove its `tune`"
                    .to_owned(),
            ));
        }
        let seed = args.seed.map_or(spec.seeds[0], u64::from);
        let spec = ExperimentSpec { seeds: vec![seed], ..spec };
        let job = spec.job(&spec.arms[0], seed);
        let name = format!("{}-{}-seed{seed}", spec.name, job.arm);
        let origin = Box::new(Origin {
            source: source.to_owned(),
            set: args.changes.assignments().to_vec(),
            written,
            experiment: serde_json::to_value(&spec).map_err(anyhow::Error::from)?,
            provenance: provenance(str::to_owned),
            attempts: Vec::new(),
        });
        let start = Start::Fresh { parent: args.out.clone(), name, origin };
        Ok(Self { job, time_limit: Duration::from_secs(spec.time_limit_seconds), start })
    }

    fn resumed(folder: &Path) -> anyhow::Result<Self> {
        let (folder, job, checkpoint) = RunFolder::interrupted(folder)?;
        let time_limit = Duration::from_secs(checkpoint.time_limit_seconds);
        Ok(Self { job, time_limit, start: Start::Resumed(folder, checkpoint) })
    }
}

/// Keeps only one arm before validation, so that mistakes of the others do not matter.
fn choose_arm(spec: &mut Value, wanted: Option<String>) -> Result<(), Failure> {
    match (wanted, arms::names(spec).as_slice()) {
        // A spec without arms is reported when the spec is read.
        (_, []) | (None, [_]) => Ok(()),
        (None, names) => Err(Failure::Usage(format!("choose an arm with --arm: {}", names.join(", ")))),
        (Some(wanted), _) => Ok(arms::keep(spec, &[wanted])?),
    }
}

/// The device to train on: `asked` if given, else by the spec's `resources.device`.
fn choose_device(probe: &Probe, asked: Option<Device>, wanted: WantedDevice) -> anyhow::Result<Device> {
    match (asked, wanted, probe.gpus().next(), &probe.unusable_gpus) {
        (Some(device), ..) => Ok(device),
        (None, WantedDevice::Any | WantedDevice::Cuda, Some(gpu), _) => Ok(gpu),
        (None, WantedDevice::Any | WantedDevice::Cuda, None, Some(unusable)) => {
            bail!("{unusable}")
        }
        (None, WantedDevice::Any | WantedDevice::Cpu, ..) => Ok(Device::Cpu),
        (None, WantedDevice::Cuda, None, None) => bail!(
            "the spec requires `cuda`, and libtorch finds no GPU here; --device cpu or --set resources.device=cpu trains \
             on the CPU"
        ),
    }
}

/// A run in progress.
struct Running {
    runner: Runner,
    device: Device,
    folder: RunFolder,
    screen: Screen,
    total_steps: u64,
}

async fn train(program: &Path, device: Option<Device>, plan: Plan) -> anyhow::Result<()> {
    let Plan { job, time_limit, start } = plan;
    let deadline = Instant::now() + time_limit;
    let time_limit_seconds = time_limit.as_secs();
    let mut signals = Signals::new()?;
    let mut run = tokio::select! {
        begun = begin(program, device, &job, start) => begun?,
        () = signals.next() => bail!("stopped before training began"),
    };
    let mut stopping = false;
    loop {
        let event = tokio::select! {
            event = run.runner.next_event() => event?,
            () = signals.next() => {
                if stopping {
                    run.screen.abandon();
                    std::process::exit(130);
                }
                stopping = true;
                run.screen.say("optlab: stopping after this step; a second signal ends at once");
                run.runner.send(&Command::Stop { request: Request::Pause }).await?;
                continue;
            }
            () = sleep_until(deadline) => {
                run.screen.abandon();
                let hint = run.folder.resume_hint();
                bail!("the run exceeded time_limit_seconds = {time_limit_seconds}{hint}");
            }
        };
        match event {
            Some(Event::Flush { points, step }) => {
                run.folder.note(&points)?;
                run.screen.note(&points, step);
            }
            Some(Event::Log { message }) => run.screen.say(&message),
            Some(Event::Checkpoint { step, file, sha256, .. }) => {
                let device = run.device;
                run.folder.resume_from(Checkpoint { step, file, sha256, device, time_limit_seconds })?;
            }
            last => return run.end(last).await,
        }
    }
}

impl Running {
    /// Handles the last event, or the end of the runner without one.
    async fn end(self, last: Option<Event>) -> anyhow::Result<()> {
        let Self { runner, folder, screen, total_steps, .. } = self;
        if let Some(Event::Finished { summary }) = last {
            folder.finish(&summary)?;
            runner.close().await;
            return screen.finish(&folder, &summary);
        }
        screen.abandon();
        match last {
            Some(Event::Paused { step }) => {
                runner.close().await;
                bail!("stopped at step {step} of {total_steps}{}", folder.resume_hint());
            }
            Some(Event::Failed(failure)) => bail!("{}: {}", failure.reason, failure.error),
            Some(event) => bail!("the runner sent an unexpected event: {event:?}"),
            None => bail!("{}{}", runner.exit_report().await, folder.resume_hint()),
        }
    }
}

/// Starts the run and waits for its first event. A run that cannot start leaves no files behind.
async fn begin(
    program: &Path,
    device: Option<Device>,
    job: &JobSpec,
    start: Start,
) -> anyhow::Result<Running> {
    let probe =
        probe(program).await.context("no job can be trained here; `optlab doctor` explains what to do")?;
    let device = match (device, &start) {
        (None, Start::Resumed(_, checkpoint)) => checkpoint.device,
        (device, _) => choose_device(&probe, device, job.resources.device)?,
    };
    let mut runner = Runner::start(program, job.train.precision)?;
    let (mut folder, from, origin) = match start {
        Start::Fresh { parent, name, origin } => (RunFolder::fresh(&parent, &name)?, None, *origin),
        Start::Resumed(folder, checkpoint) => {
            let origin = folder.origin()?;
            (folder, Some(checkpoint), origin)
        }
    };
    let place = std::fs::canonicalize(folder.path())?;
    let step = from.as_ref().map_or(0, |checkpoint| checkpoint.step);
    let run = Run {
        protocol: Version,
        job: JobId::from(0),
        attempt: AttemptNumber::FIRST,
        device,
        spec: job.clone(),
        resume_from: from.map(|checkpoint| place.join(checkpoint.file)),
        artifact_dir: Some(place),
        stop_at: None,
    };
    runner.send(&Command::Run(Box::new(run))).await?;
    let mut first = runner.next_event().await?;
    if let Some(Event::UnusableCheckpoint) = first {
        // The following failure contains the reason.
        first = runner.next_event().await?;
    }
    let environment = match first {
        Some(Event::Started { environment, step: begins_at, .. }) => {
            ensure!(begins_at == step, "the runner started at step {begins_at} instead of {step}");
            environment
        }
        Some(Event::Failed(failure)) => bail!("{}", failure.error),
        Some(event) => bail!("the first event of the runner was {event:?}"),
        None => bail!("{}", runner.exit_report().await),
    };
    let began =
        Began { environment: environment.clone(), start_step: step, started_ms: SystemClock.now_ms() };
    folder.begin(job, origin, began)?;
    let screen = Screen::new(job, &environment, step)?;
    Ok(Running { runner, device, folder, screen, total_steps: job.train.total_steps() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use optlab_spec::protocol::{ProbedDevice, UnusableGpus};

    #[test]
    fn a_missing_gpu_does_not_fall_back_to_the_cpu() {
        let probe = |devices: &[Device]| {
            let device = |&device: &Device| ProbedDevice { device, name: String::new(), uuid: None };
            Probe {
                protocol: Version,
                libtorch: String::new(),
                devices: devices.iter().map(device).collect(),
                threads: 1,
                unusable_gpus: None,
            }
        };
        use WantedDevice::{Any, Cpu, Cuda};
        let (with, without) = (probe(&[Device::Cpu, Device::Cuda(0)]), probe(&[Device::Cpu]));
        let chosen = |probe: &Probe, wanted| choose_device(probe, None, wanted).unwrap();
        assert_eq!(
            [Any, Cuda, Cpu].map(|wanted| chosen(&with, wanted)),
            [Device::Cuda(0), Device::Cuda(0), Device::Cpu]
        );
        assert_eq!([Any, Cpu].map(|wanted| chosen(&without, wanted)), [Device::Cpu; 2]);
        let error = choose_device(&without, None, Cuda).unwrap_err().to_string();
        assert!(error.contains("--set resources.device=cpu"), "{error}");
        assert_eq!(choose_device(&without, Some(Device::Cpu), Cuda).unwrap(), Device::Cpu);
        let unusable = UnusableGpus { why: "the driver is too old".to_owned(), cure: "update it".to_owned() };
        let broken = Probe { unusable_gpus: Some(unusable), ..without };
        for wanted in [Any, Cuda] {
            let error = choose_device(&broken, None, wanted).unwrap_err().to_string();
            assert!(
                error.starts_with("the driver is too old. To fix this, update it; to train on the CPU"),
                "{error}"
            );
        }
        assert_eq!(chosen(&broken, Cpu), Device::Cpu);
        assert_eq!(choose_device(&broken, Some(Device::Cpu), Any).unwrap(), Device::Cpu);
    }
}
