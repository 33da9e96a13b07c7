//! A runner process, controlled over its pipes like by a slot.

#![allow(dead_code, reason = "each test file uses what it needs")]

pub mod factors;
pub mod interruption;
pub mod pairs;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command as Process, ExitStatus, Stdio};

use optlab_domain::{AttemptNumber, Device, JobId, Request};
use optlab_spec::protocol::{Artifact, Command, Environment, Event, Failure, Point, Run, Summary, Version};
use optlab_spec::{ExperimentSpec, JobSpec};
use serde_json::{Value, json};

/// A process that ends when it is dropped.
pub struct Runner {
    child: Child,
    commands: Option<ChildStdin>,
    events: Option<BufReader<ChildStdout>>,
}

/// All events of one job.
#[derive(Debug, Default)]
pub struct Heard {
    pub environment: Option<Environment>,
    pub points: Vec<Point>,
    pub progress: Vec<u64>,
    pub logs: Vec<String>,
    /// Where this attempt started.
    pub from: Option<u64>,
    /// Checkpoints with their steps and the number of points before each.
    pub checkpoints: Vec<(u64, Artifact, usize)>,
    /// Whether it rejected the checkpoint to resume from.
    pub refused_checkpoint: bool,
    /// The last event; `None` if the process ended without one.
    pub end: Option<Event>,
}

impl Runner {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(environment: &[(&str, &Path)]) -> Self {
        Self::spawn(Self::program().envs(environment.iter().copied()))
    }

    /// A runner whose log is discarded.
    pub fn start_quiet() -> Self {
        Self::spawn(Self::program().stderr(Stdio::null()))
    }

    fn program() -> Process {
        Process::new(env!("CARGO_BIN_EXE_optlab-runner"))
    }

    fn spawn(program: &mut Process) -> Self {
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let events = child.stdout.take().map(BufReader::new);
        Self { commands: child.stdin.take(), events, child }
    }

    pub fn line(&mut self, line: &str) {
        let commands = self.commands.as_mut().expect("the input is open");
        writeln!(commands, "{line}").unwrap();
    }

    pub fn run(&mut self, spec: &JobSpec) {
        self.run_on(Device::Cpu, spec);
    }

    pub fn run_on(&mut self, device: Device, spec: &JobSpec) {
        self.send_run(device, spec, None);
    }

    /// The job's weights go into the folder `artifact_dir`.
    pub fn run_for_weights(&mut self, spec: &JobSpec, artifact_dir: &Path) {
        self.send_run(Device::Cpu, spec, Some(artifact_dir));
    }

    /// The job resumes from a checkpoint.
    pub fn resume(&mut self, spec: &JobSpec, artifact_dir: Option<&Path>, from: Option<PathBuf>) {
        self.send(Device::Cpu, spec, artifact_dir, from, None);
    }

    /// The job stops after `stop_at` updates.
    pub fn run_to_rung(&mut self, spec: &JobSpec, artifact_dir: &Path, from: Option<PathBuf>, stop_at: u64) {
        self.send(Device::Cpu, spec, Some(artifact_dir), from, Some(stop_at));
    }

    fn send_run(&mut self, device: Device, spec: &JobSpec, artifact_dir: Option<&Path>) {
        self.send(device, spec, artifact_dir, None, None);
    }

    fn send(
        &mut self,
        device: Device,
        spec: &JobSpec,
        artifact_dir: Option<&Path>,
        resume_from: Option<PathBuf>,
        stop_at: Option<u64>,
    ) {
        let (protocol, artifact_dir) = (Version, artifact_dir.map(Path::to_owned));
        let run = Run {
            protocol,
            job: JobId::from(7),
            attempt: AttemptNumber::FIRST,
            device,
            spec: spec.clone(),
            artifact_dir,
            resume_from,
            stop_at,
        };
        self.line(&serde_json::to_string(&Command::Run(Box::new(run))).unwrap());
    }

    pub fn cancel(&mut self) {
        self.line(&serde_json::to_string(&Command::Stop { request: Request::Cancel }).unwrap());
    }

    pub fn pause(&mut self) {
        self.line(&serde_json::to_string(&Command::Stop { request: Request::Pause }).unwrap());
    }

    /// Kills the process, like a power failure.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// `None` at the end of output, which may come in the middle of a line where the process was killed.
    pub fn event(&mut self) -> Option<Event> {
        let mut line = String::new();
        self.events.as_mut().expect("the output is open").read_line(&mut line).unwrap();
        (line.ends_with('\n'))
            .then(|| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    }

    /// Reads until some update is done.
    pub fn wait_for_progress(&mut self) {
        while !matches!(self.event().expect("an event"), Event::Flush { step: 1.., .. }) {}
    }

    /// Reads up to the end of the job.
    pub fn hear(&mut self) -> Heard {
        let heard = self.hear_until(|_| false);
        assert!(heard.end.is_some(), "the runner ended without an event: {heard:?}");
        heard
    }

    /// Reads up to the end of the job or the process, or until `enough`.
    pub fn hear_until(&mut self, enough: impl Fn(&Heard) -> bool) -> Heard {
        let mut heard = Heard::default();
        while heard.end.is_none() && !enough(&heard) {
            match self.event() {
                None => break,
                Some(Event::Started { environment, step, .. }) => {
                    (heard.environment, heard.from) = (Some(environment), Some(step));
                }
                Some(Event::Flush { points, step }) => {
                    heard.points.extend(points);
                    heard.progress.push(step);
                }
                Some(Event::Log { message }) => heard.logs.push(message),
                Some(Event::Checkpoint { step, file, sha256, bytes }) => {
                    heard.checkpoints.push((step, Artifact { file, sha256, bytes }, heard.points.len()));
                }
                Some(Event::UnusableCheckpoint) => heard.refused_checkpoint = true,
                end @ Some(Event::Finished { .. } | Event::Paused { .. } | Event::Failed(_)) => {
                    heard.end = end
                }
            }
        }
        heard
    }

    /// Runs one job to its end, whatever that is.
    pub fn hear_of(&mut self, spec: &JobSpec) -> Heard {
        self.run(spec);
        self.hear()
    }

    /// Runs one job, which must succeed.
    pub fn train(&mut self, spec: &JobSpec) -> Heard {
        let heard = self.hear_of(spec);
        assert!(matches!(heard.end, Some(Event::Finished { .. })), "{:?} of {spec:?}", heard.end);
        heard
    }

    pub fn close_input(&mut self) {
        self.commands = None;
    }

    pub fn close_output(&mut self) {
        self.events = None;
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.close_input();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Heard {
    pub fn summary(&self) -> &Summary {
        match &self.end {
            Some(Event::Finished { summary }) => summary,
            other => panic!("no summary, but {other:?}"),
        }
    }

    pub fn failure(&self) -> Failure {
        match &self.end {
            Some(Event::Failed(failure)) => failure.clone(),
            other => panic!("no failure, but {other:?}"),
        }
    }

    /// The step of a pause.
    pub fn paused(&self) -> u64 {
        match self.end {
            Some(Event::Paused { step }) => step,
            ref other => panic!("no pause, but {other:?}"),
        }
    }

    /// The curves by name, `(step, value)` in the order of arrival.
    pub fn curves(&self) -> BTreeMap<&str, Vec<(u64, f64)>> {
        let mut curves = BTreeMap::<&str, Vec<_>>::new();
        for point in &self.points {
            curves.entry(&point.series).or_default().push((point.step, point.value));
        }
        curves
    }

    /// The bits of the curves, without timing series.
    pub fn reproducible(&self) -> Vec<(&str, u64, u64)> {
        reproducible(&self.points)
    }
}

/// The bits of these points in order, without timing series.
pub fn reproducible(points: &[Point]) -> Vec<(&str, u64, u64)> {
    let points = points.iter().filter(|point| point.series != "samples_per_second");
    let mut points: Vec<_> = points.map(|p| (p.series.as_str(), p.step, p.value.to_bits())).collect();
    points.sort_unstable();
    points
}

/// Runs one job in its own process, which must succeed.
pub fn train(spec: &JobSpec) -> Heard {
    Runner::start().train(spec)
}

pub fn baseline() -> Value {
    json!({ "kind": "baseline" })
}

pub fn opt(transform: &str) -> Value {
    json!({ "kind": "opt", "transform": transform })
}

/// A small network on the digits, as it is resolved from a submission; `train` changes fields.
pub fn spec(method: Value, train: Value) -> JobSpec {
    let base = json!({
        "epochs": 2,
        "batch_size": 64,
        "log_every_steps": 4,
        "data": { "name": "digits" },
        "model": { "kind": "mlp", "hidden": [24, 16] },
        "optimizer": { "learning_rate": 0.05 },
        "energy": { "every_steps": 10 },
    });
    let experiment = json!({
        "name": "test",
        "train": optlab_spec::merge(base, &train),
        "arms": [{ "name": "arm", "method": method }],
    });
    ExperimentSpec::from_value(&experiment).unwrap_or_else(|e| panic!("{e}")).jobs().swap_remove(0)
}
