//! The service on the device to check: `optlab serve`, and a worker with slots there.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use optlab_runner::clock;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::error::CheckError;
use crate::setting::Setting;

/// A relative path, because the folder's own path may contain characters with a meaning in a URL.
const DATABASE: [&str; 2] = ["--database-url", "sqlite:optlab.db"];
/// Interval between two looks at a process.
const POLL: Duration = Duration::from_millis(50);

/// Both processes; killed when dropped.
pub struct Server {
    worker: Process,
    serve: Process,
    program: PathBuf,
    address: String,
}

impl Server {
    /// Starts both with the database in `folder`, which may be that of an earlier server, and `slots` slots.
    ///
    /// # Errors
    /// If the server does not serve in time.
    pub fn start(setting: &Setting, folder: &Path, slots: usize) -> Result<Self, CheckError> {
        let program = setting.programs.optlab();
        let start = |name: &str, arguments: &[&str]| {
            let mut command = Command::new(&program);
            command.arg(name).args(arguments).args(DATABASE).current_dir(folder);
            Process::start(&mut command, folder.join(format!("{name}.log")))
        };
        let mut serve = start("serve", &["--listen", "127.0.0.1:0", "--workers", "0"])?;
        let address = loop {
            if let Some(address) = served(&serve.log)? {
                break address;
            }
            if setting.is_over() || serve.has_ended()? {
                let log = serve.logged();
                return Err(CheckError::Program(format!("optlab serve does not start:\n{log}")));
            }
            thread::sleep(POLL);
        };
        let (device, slots) = (setting.runner_device.to_string(), slots.to_string());
        let worker = start("worker", &["--device", &device, "--slots-per-device", &slots])?;
        Ok(Self { worker, serve, program, address })
    }

    /// Runs a command against this server, and returns what it prints.
    ///
    /// # Errors
    /// If the command fails, with the log of the server.
    pub fn command(&self, arguments: &[&str]) -> Result<String, CheckError> {
        let output =
            Command::new(&self.program).args(arguments).args(["--server", &self.address]).output()?;
        if !output.status.success() {
            let (said, log) = (String::from_utf8_lossy(&output.stderr), self.log());
            return Err(CheckError::Program(format!(
                "optlab {arguments:?}: {}\n{said}\n{log}",
                output.status
            )));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The JSON that a command prints.
    ///
    /// # Errors
    /// Those of [`command`](Self::command), and if it prints something else.
    pub fn json(&self, arguments: &[&str]) -> Result<Value, CheckError> {
        Ok(serde_json::from_str(&self.command(arguments)?)?)
    }

    /// What both processes have logged.
    pub fn log(&self) -> String {
        format!("optlab serve:\n{}\noptlab worker:\n{}", self.serve.logged(), self.worker.logged())
    }

    /// Whether the worker has ended by itself.
    ///
    /// # Errors
    /// The system's own.
    pub fn has_lost_its_worker(&mut self) -> io::Result<bool> {
        self.worker.has_ended()
    }

    /// Kills a runner of the worker, and returns its process id.
    ///
    /// # Errors
    /// If there is none.
    pub fn kill_runner(&self) -> Result<i32, CheckError> {
        let runner = fs::read_dir("/proc")?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .find(|pid| is_runner_of(*pid, self.worker.child.id()));
        let pid = runner.ok_or_else(|| CheckError::Program("the worker has no runner".to_owned()))?;
        if let Some(process) = Pid::from_raw(pid) {
            kill_process(process, Signal::KILL).map_err(io::Error::from)?;
        }
        Ok(pid)
    }

    /// Lets the worker hand its jobs back with checkpoints. Kills it if that takes longer than `longest`, and returns
    /// whether it did not.
    ///
    /// # Errors
    /// The system's own.
    pub fn drain(&mut self, longest: Duration) -> io::Result<bool> {
        self.worker.stop(longest)
    }

    /// Ends the server, which leaves its database as one file. Kills it if that takes longer than `longest`.
    ///
    /// # Errors
    /// The system's own.
    pub fn stop(mut self, longest: Duration) -> io::Result<()> {
        self.serve.stop(longest).map(|_| ())
    }
}

/// A process with a log; killed when dropped.
struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    fn start(command: &mut Command, log: PathBuf) -> io::Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?).spawn()?;
        Ok(Self { child, log })
    }

    fn logged(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Ends it in good order, or kills it after `longest`; returns whether it ended in good order.
    fn stop(&mut self, longest: Duration) -> io::Result<bool> {
        let last = clock::instant() + longest;
        if let (false, Some(pid)) = (self.has_ended()?, Pid::from_raw(self.child.id() as i32)) {
            kill_process(pid, Signal::TERM)?;
        }
        while !self.has_ended()? {
            if clock::instant() >= last {
                self.child.kill()?;
                self.child.wait()?;
                return Ok(false);
            }
            thread::sleep(POLL);
        }
        Ok(self.child.wait()?.success())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in the log of a server, once it serves.
fn served(log: &Path) -> io::Result<Option<String>> {
    for line in BufReader::new(File::open(log)?).lines() {
        if let Some((_, rest)) = line?.split_once("serving http") {
            let address = rest.split(' ').next().unwrap_or_default();
            return Ok(Some(format!("http{}", address.trim_end_matches('/'))));
        }
    }
    Ok(None)
}

fn is_runner_of(pid: i32, parent: u32) -> bool {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    // After the name in parentheses: the state, and the parent.
    let stat = read("stat");
    let of_parent =
        stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) == Some(&parent.to_string());
    of_parent && read("cmdline").contains("optlab-runner")
}
