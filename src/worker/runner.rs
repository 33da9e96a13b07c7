//! The runner: the child process that loads libtorch.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use optlab_spec::Precision;
use optlab_spec::protocol::{Command, Event, environment_of};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::task::JoinHandle;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};

use super::log::Log;
use super::text;

/// Maximum length of an event, in bytes. A runner sends at most a thousand updates per event, well under a megabyte; a
/// broken one must not fill the memory of the service.
const LONGEST_EVENT: usize = 16 << 20;
/// Number of the runner's last lines that an error quotes.
const TAIL_LINES: usize = 5;
/// Length at which a line of the log is truncated, in bytes.
const LONGEST_LINE: u64 = 4096;
/// Time limit for a killed process to end; one that hangs in a driver may never end.
const EXIT_TIMEOUT: Duration = Duration::from_secs(10);

/// A runner that waits for a job or trains one. Dropping it kills it.
#[derive(Debug)]
pub struct Runner {
    child: Child,
    commands: ChildStdin,
    events: FramedRead<ChildStdout, LinesCodec>,
    stderr: Arc<Mutex<Stderr>>,
    log: JoinHandle<()>,
    tf32: bool,
}

/// The last lines of the process's standard error.
#[derive(Debug, Default)]
struct Stderr {
    tail: VecDeque<String>,
    /// The log of the current job.
    log: Option<Log>,
}

impl Runner {
    /// Starts the program for jobs of this precision.
    ///
    /// # Errors
    /// If the program is missing or may not be executed.
    pub fn start(program: &Path, precision: Precision) -> io::Result<Self> {
        let tf32 = precision == Precision::Tf32;
        let (set, removed) = environment_of(precision);
        let mut program = tokio::process::Command::new(program);
        for name in removed {
            program.env_remove(name);
        }
        let mut child = program
            .envs(set)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            // Ctrl-C in a terminal signals the whole process group, but the slot decides when its runner ends.
            .process_group(0)
            .spawn()?;
        let commands = child.stdin.take().expect("stdin is piped");
        let events = child.stdout.take().expect("stdout is piped");
        let events = FramedRead::new(events, LinesCodec::new_with_max_length(LONGEST_EVENT));
        let pipe = BufReader::new(child.stderr.take().expect("stderr is piped"));
        let stderr = Arc::default();
        let log = tokio::spawn(follow_log(pipe, Arc::clone(&stderr)));
        Ok(Self { child, commands, events, stderr, log, tf32 })
    }

    /// Whether it was started for jobs of this precision.
    pub fn fits(&self, precision: Precision) -> bool {
        self.tf32 == (precision == Precision::Tf32)
    }

    /// Id of the process.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Copies further lines of standard error into `log`.
    pub(super) fn log_to(&self, log: Log) {
        self.stderr.lock().expect("no holder panics").log = Some(log);
    }

    /// Adds a line to the log of the job.
    pub(super) fn add_to_log(&self, line: &str) {
        if let Some(log) = &mut self.stderr.lock().expect("no holder panics").log {
            log.add(line);
        }
    }

    /// Writes a command.
    ///
    /// # Errors
    /// If the process has ended.
    pub async fn send(&mut self, command: &Command) -> io::Result<()> {
        let mut line = serde_json::to_vec(command)?;
        line.push(b'\n');
        self.commands.write_all(&line).await?;
        self.commands.flush().await
    }

    /// The next event; `None` once the process has ended. Safe to cancel: no event is lost.
    ///
    /// # Errors
    /// If a line is not an event.
    pub async fn next_event(&mut self) -> io::Result<Option<Event>> {
        let Some(line) = self.events.next().await else { return Ok(None) };
        let line = line.map_err(|error| match error {
            LinesCodecError::Io(error) => error,
            too_long => {
                io::Error::new(io::ErrorKind::InvalidData, format!("an event of the runner: {too_long}"))
            }
        })?;
        let mut event = text::read(&line).map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("the runner sent an invalid event: {error}"))
        })?;
        if let Event::Failed(failure) = &mut event {
            text::shorten(&mut failure.error);
        }
        Ok(Some(event))
    }

    /// Ends an idle process in good order.
    pub async fn close(mut self) {
        drop(self.commands);
        let _ = tokio::time::timeout(EXIT_TIMEOUT, self.child.wait()).await;
    }

    /// Describes the end of a process whose events have ended, with its last lines.
    pub async fn exit_report(mut self) -> String {
        // A process that has closed its events but still runs is killed.
        let _ = self.child.start_kill();
        let end = async {
            let status = self.child.wait().await;
            let _ = (&mut self.log).await;
            status
        };
        let status = match tokio::time::timeout(EXIT_TIMEOUT, end).await {
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it did not exit after SIGKILL".to_owned(),
        };
        let words = &self.stderr.lock().expect("no holder panics").tail;
        if words.is_empty() {
            return format!("the runner ended ({status})");
        }
        format!("the runner ended ({status}): {}", words.iter().cloned().collect::<Vec<_>>().join(" | "))
    }
}

/// Reads standard error until it ends, because a runner blocks if nobody reads its log.
async fn follow_log(mut pipe: BufReader<ChildStderr>, stderr: Arc<Mutex<Stderr>>) {
    let mut line = Vec::new();
    while let Ok(1..) = (&mut pipe).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        tracing::debug!(target: "optlab_runner", "{text}");
        let mut stderr = stderr.lock().expect("no holder panics");
        if let Some(log) = &mut stderr.log {
            log.add(&text);
        }
        if stderr.tail.len() == TAIL_LINES {
            stderr.tail.pop_front();
        }
        stderr.tail.push_back(text::clean(&text).into_owned());
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn an_endless_event_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("runner");
        fs::write(&program, "#!/bin/sh\nexec cat /dev/zero\n").unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let mut runner = Runner::start(&program, Precision::Float32).unwrap();
        let error = runner.next_event().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
    }

    #[tokio::test]
    async fn the_environment_of_a_process_matches_its_precision() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("runner");
        let says = r#"echo "{\"type\":\"log\",\"message\":\"$TORCH_ALLOW_TF32_CUBLAS_OVERRIDE/$NVIDIA_TF32_OVERRIDE/${CUBLAS_WORKSPACE_CONFIG:+set}\"}""#;
        fs::write(&program, format!("#!/bin/sh\n{says}\n")).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        for (precision, switches) in
            [(Precision::Float32, "/0/set"), (Precision::Bfloat16, "/0/set"), (Precision::Tf32, "1//set")]
        {
            let mut runner = Runner::start(&program, precision).unwrap();
            let said = runner.next_event().await.unwrap();
            assert_eq!(said, Some(Event::Log { message: switches.to_owned() }), "{precision:?}");
        }
    }
}
