//! A runner, controlled over its pipes as by a slot.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command as Process, Stdio};
use std::time::Duration;

use optlab_domain::{AttemptNumber, Device, JobId};
use optlab_spec::JobSpec;
use optlab_spec::protocol::{Command, Event, Run, Version};

use crate::error::CheckError;

/// A runner process; killed when dropped.
pub struct Runner {
    child: Child,
    commands: ChildStdin,
    events: BufReader<ChildStdout>,
}

/// Files of a run.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Folder for checkpoints and weights.
    pub folder: Option<PathBuf>,
    /// Checkpoint to resume from.
    pub resume_from: Option<PathBuf>,
}

impl Runner {
    /// Starts the program at `runner`.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(runner: &Path) -> Result<Self, CheckError> {
        Self::spawn(&mut Process::new(runner))
    }

    /// Starts it with at most so many bytes of address space.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start_with_memory(runner: &Path, bytes: u64) -> Result<Self, CheckError> {
        let script = format!("ulimit -v {} && exec \"$0\"", bytes / 1024);
        Self::spawn(Process::new("sh").args(["-c", &script]).arg(runner))
    }

    fn spawn(program: &mut Process) -> Result<Self, CheckError> {
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let commands = child.stdin.take().expect("stdin is piped");
        let events = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Ok(Self { child, commands, events })
    }

    /// Sends a job.
    ///
    /// # Errors
    /// If the process has ended.
    pub fn run(&mut self, device: Device, spec: &JobSpec, files: Files) -> Result<(), CheckError> {
        let Files { folder, resume_from } = files;
        let run = Run {
            protocol: Version,
            job: JobId::from(1),
            attempt: AttemptNumber::FIRST,
            device,
            spec: spec.clone(),
            artifact_dir: folder,
            resume_from,
            stop_at: None,
        };
        let line = serde_json::to_string(&Command::Run(Box::new(run)))?;
        Ok(writeln!(self.commands, "{line}")?)
    }

    /// The next event.
    ///
    /// # Errors
    /// If the process has ended, or has written something else.
    pub fn event(&mut self) -> Result<Event, CheckError> {
        let mut line = String::new();
        self.events.read_line(&mut line)?;
        if line.is_empty() {
            let status = self.child.wait()?;
            return Err(CheckError::Program(format!(
                "the runner has ended: {status}; its log is in log.txt"
            )));
        }
        Ok(serde_json::from_str(&line)?)
    }

    /// Reads up to the end of the job, or until `enough`; returns the events, the last of which is that one.
    ///
    /// # Errors
    /// Those of [`event`](Self::event).
    pub fn events_until(&mut self, enough: impl Fn(&Event) -> bool) -> Result<Vec<Event>, CheckError> {
        let mut events = Vec::new();
        loop {
            let event = self.event()?;
            let is_end = matches!(event, Event::Finished { .. } | Event::Paused { .. } | Event::Failed(_));
            let is_last = is_end || enough(&event);
            events.push(event);
            if is_last {
                return Ok(events);
            }
        }
    }

    /// Whether the process ends by itself within half a minute.
    ///
    /// # Errors
    /// The system's own.
    pub fn ends(&mut self) -> Result<bool, CheckError> {
        for _ in 0..300 {
            if self.child.try_wait()?.is_some() {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(false)
    }

    /// Kills the process, as a loss of power would.
    ///
    /// # Errors
    /// The system's own.
    pub fn kill(mut self) -> Result<(), CheckError> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
