//! Worker processes, and signals to processes.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use super::waiting::Patience;
use super::{OPTLAB, runner};

/// An `optlab worker`, which is killed when dropped.
pub struct Worker {
    pub child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

impl Worker {
    /// Starts a worker with one slot on the CPU and leases of two seconds.
    pub fn start(database_url: &str) -> Self {
        Self::start_with(database_url, &["--slots-per-device", "1"])
    }

    pub fn start_with(database_url: &str, args: &[&str]) -> Self {
        Self::start_in(&[], database_url, args)
    }

    /// Starts the process with variables of the environment.
    pub fn start_in(environment: &[(&str, &str)], database_url: &str, args: &[&str]) -> Self {
        runner();
        let mut child = optlab()
            .args(["worker", "--database-url", database_url, "--device", "cpu", "--lease-seconds", "2"])
            .args(args)
            .env("OPTLAB_LOG", "info,sqlx=warn")
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("optlab starts");
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let heard = log.clone();
        // The worker would block if its log were not read. A failed test shows the log.
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| {
                println!("worker: {line}");
                heard.lock().unwrap().push(line);
            });
        });
        Self { child, log }
    }

    /// Its runner processes.
    pub fn runners(&self) -> Vec<u32> {
        children(self.child.id())
    }

    /// Waits until a line of its log contains `words`.
    pub fn wait_until_it_says(&self, words: &str) {
        let mut patience = Patience::until(format!("the worker logs {words:?}"));
        while !self.said().contains(words) {
            patience.again(self.said());
        }
    }

    /// Its log so far.
    pub fn said(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Waits for its end; returns whether it succeeded.
    pub fn ends_well(&mut self) -> bool {
        self.child.wait().unwrap().success()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // SIGKILL also ends a frozen process.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program with the default handling of SIGHUP. Under `nohup`, children would inherit that the signal is ignored.
pub fn optlab() -> Command {
    let mut program = Command::new("env");
    program.args(["--default-signal=HUP", OPTLAB]);
    program
}

/// Sends a signal by its name, such as `KILL`; returns false if the process is gone.
pub fn signal(pid: u32, name: &str) -> bool {
    let mut kill = Command::new("kill");
    kill.args([&format!("-{name}"), &pid.to_string()]).stderr(Stdio::null());
    kill.status().unwrap().success()
}

/// Sends SIGKILL.
pub fn kill(pid: u32) {
    assert!(signal(pid, "KILL"));
}

/// Sends SIGKILL to a process that may have ended since it was listed.
pub fn kill_if_there(pid: u32) {
    signal(pid, "KILL");
}

pub fn children(parent: u32) -> Vec<u32> {
    let pids = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| parent_of(*pid) == Some(parent)).collect()
}

pub fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name, in brackets, may contain any characters.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
