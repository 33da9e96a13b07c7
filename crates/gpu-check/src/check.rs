//! The process of all parts: starts one after another and writes the report after each.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use optlab_domain::Device;
use optlab_runner::clock;
use optlab_spec::Precision;
use optlab_spec::protocol::{BUILD, DEVICE_ORDER, Probe, UnusableGpus, environment_of};

use crate::error::CheckError;
use crate::limits::{GRACE, time_of_next};
use crate::markdown;
use crate::options::Options;
use crate::part::{Part, WORK};
use crate::programs::Programs;
use crate::record::{self, ROWS};
use crate::report::{PartReport, Report, Verdict};

/// Interval at which a running part is looked at.
const POLL: Duration = Duration::from_millis(50);
/// The end of a part's log that the report quotes, in bytes.
const LOG_END: u64 = 20_000;

/// Runs the parts, and returns whether all of them passed.
///
/// # Errors
/// If the folder cannot be written, or if no runner works here.
pub fn run(options: &Options) -> Result<bool, CheckError> {
    let began = clock::instant();
    let run = Run::new(options)?;
    let mut report = run.report.clone();
    println!("{}", markdown::document(&report).lines().next().unwrap_or_default());
    let parts: Vec<Part> =
        Part::ALL.into_iter().filter(|part| options.only.is_empty() || options.only.contains(part)).collect();
    let whole = Duration::from_secs_f64(options.minutes.clamp(0.0, 1e6) * 60.0);
    for (number, &part) in parts.iter().enumerate() {
        let left = whole.saturating_sub(began.elapsed());
        let time = time_of_next(&parts[number..], left, report.tiny);
        let found = run.part(part, time, left)?;
        println!("\n{}", markdown::part(&found));
        report.parts.push(found);
        write(&report, &run.output)?;
    }
    fs::remove_dir_all(run.output.join(WORK))?;
    println!("\nReport: {}", run.output.join(MARKDOWN).display());
    report.parts.iter().for_each(|part| println!("- {}", markdown::summary(part)));
    Ok(report.passed())
}

const MARKDOWN: &str = "report.md";
const LOG: &str = "log.txt";

fn write(report: &Report, output: &Path) -> Result<(), CheckError> {
    fs::write(output.join("report.json"), serde_json::to_vec_pretty(report)?)?;
    Ok(fs::write(output.join(MARKDOWN), markdown::document(report))?)
}

/// State shared by the parts of a run.
struct Run<'a> {
    options: &'a Options,
    output: PathBuf,
    programs: Programs,
    /// Without parts.
    report: Report,
}

impl<'a> Run<'a> {
    fn new(options: &'a Options) -> Result<Self, CheckError> {
        fs::create_dir_all(&options.output)?;
        let output = fs::canonicalize(&options.output)?;
        // Files of an earlier run.
        let _ = fs::remove_dir_all(output.join(WORK));
        File::create(output.join(LOG))?;
        let programs = Programs::find()?;
        let probe = probe(&programs)?;
        let first_gpu = || probe.devices.get(1).map(|probed| probed.device);
        let device = options.device.or_else(first_gpu).unwrap_or(Device::Cpu);
        if let (None, Some(unusable)) = (options.device, &probe.unusable_gpus) {
            let UnusableGpus { why, cure } = unusable;
            // There is no source to build from.
            let builds = cure.contains(BUILD);
            let cure = if builds { "name a torch with CUDA 13 by --python or --libtorch" } else { cure };
            eprintln!("gpu-check: checks the CPU, because {why}. To fix this, {cure}");
        }
        let found = probe.devices.iter().find(|probed| probed.device == device);
        let report = Report {
            optlab: env!("CARGO_PKG_VERSION").to_owned(),
            commit: programs.commit(),
            device_name: found.map_or_else(|| "unknown device".to_owned(), |found| found.name.clone()),
            tiny: options.tiny || device == Device::Cpu,
            device,
            parts: Vec::new(),
        };
        Ok(Self { options, output, programs, report })
    }

    /// Runs a part for `time`, and at most for `left` and the grace of a part.
    fn part(&self, part: Part, time: Duration, left: Duration) -> Result<PartReport, CheckError> {
        let mut found =
            PartReport { name: part, verdict: Verdict::Skipped, seconds: 0.0, error: None, rows: Vec::new() };
        if time.is_zero() {
            return Ok(found);
        }
        let began = clock::instant();
        let mut log = OpenOptions::new().append(true).read(true).open(self.output.join(LOG))?;
        io::Write::write_all(&mut log, format!("\n===== {}\n", part.word()).as_bytes())?;
        let start = log.seek(SeekFrom::End(0))?;
        let mut child = self.start(part, time, &log)?;
        let status = wait(&mut child, began + left.min(time + GRACE))?;
        found.seconds = began.elapsed().as_secs_f64();
        found.rows = record::read(&part.work_folder(&self.output).join(ROWS));
        let is_wrong = found.rows.iter().any(|row| row.passed == Some(false));
        found.verdict = match status {
            None => Verdict::TimedOut,
            Some(status) if status.signal().is_some() => Verdict::Crashed,
            Some(status) if !status.success() || is_wrong => Verdict::Failed,
            Some(_) => Verdict::Passed,
        };
        if found.verdict != Verdict::Passed {
            let how = status.map_or_else(|| "killed".to_owned(), |status| status.to_string());
            found.error = Some(format!("{}\n[{how}]", end_of(&mut log, start)?));
        }
        Ok(found)
    }

    fn start(&self, part: Part, time: Duration, log: &File) -> Result<Child, CheckError> {
        fs::create_dir_all(part.work_folder(&self.output))?;
        let mut command = Command::new(self.programs.check());
        command.args(["--part", &part.word(), "--device", &self.report.device.to_string()]);
        command.args(["--seconds", &time.as_secs_f64().to_string(), "--output"]).arg(&self.output);
        command.args(self.report.tiny.then_some("--tiny"));
        if let Some(python) = &self.options.python {
            command.arg("--python").arg(python);
        }
        command.envs(environment_of(Precision::Float32).0).env("RUST_BACKTRACE", "1");
        // A group of its own, so that what it has started can be killed with it. Its input closes when this process ends.
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log.try_clone()?).process_group(0);
        Ok(command.spawn()?)
    }
}

/// Waits for the end of a part; `None` if it was killed at `last`. What it has started is killed with it, but for runners of
/// a worker, which end after their step because their input has.
fn wait(child: &mut Child, last: Instant) -> io::Result<Option<ExitStatus>> {
    let status = loop {
        match child.try_wait()? {
            Some(status) => break Some(status),
            None if clock::instant() >= last => break None,
            None => thread::sleep(POLL),
        }
    };
    if let Some(group) = rustix::process::Pid::from_raw(child.id() as i32) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    if status.is_none() {
        child.wait()?;
    }
    Ok(status)
}

fn end_of(log: &mut File, start: u64) -> io::Result<String> {
    let end = log.seek(SeekFrom::End(0))?;
    log.seek(SeekFrom::Start(start.max(end.saturating_sub(LOG_END))))?;
    let mut text = Vec::new();
    log.read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}

/// The devices, from the program that will train on them.
fn probe(programs: &Programs) -> Result<Probe, CheckError> {
    let runner = programs.runner();
    let cannot = |why: String| CheckError::Program(format!("{} --probe: {why}", runner.display()));
    let output = Command::new(&runner).arg("--probe").envs([DEVICE_ORDER]).output();
    let output = output.map_err(|error| cannot(error.to_string()))?;
    if !output.status.success() {
        return Err(cannot(format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr))));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
