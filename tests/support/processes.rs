//! Workers of their own processes, and what can happen to processes.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use super::waiting::Patience;
use super::{OPTLAB, children, runner};

/// An `optlab worker`; killed when dropped.
pub struct Worker {
    pub child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

impl Worker {
    /// One slot on the CPU, with leases of two seconds.
    pub fn start(database_url: &str) -> Self {
        Self::start_with(database_url, &["--slots-per-device", "1"])
    }

    pub fn start_with(database_url: &str, args: &[&str]) -> Self {
        Self::start_in(&[], database_url, args)
    }

    /// With variables of the environment.
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
        // Whoever stops reading the log would stop the worker; a failed test shows it.
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

    /// Waits until a line of its log has `words`.
    pub fn wait_until_it_says(&self, words: &str) {
        let mut patience = Patience::until(format!("the worker says {words:?}"));
        while !self.said().contains(words) {
            patience.again(self.said());
        }
    }

    /// What it has logged so far.
    pub fn said(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Waits for its end; whether that was a success.
    pub fn ends_well(&mut self) -> bool {
        self.child.wait().unwrap().success()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // A frozen process is killed too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, which takes SIGHUP even where the tests run under `nohup`: children inherit that it is ignored.
pub fn optlab() -> Command {
    let mut program = Command::new("env");
    program.args(["--default-signal=HUP", OPTLAB]);
    program
}

/// Sends a signal by its name, `KILL` say. The process may be gone.
pub fn signal(pid: u32, name: &str) -> bool {
    let mut kill = Command::new("kill");
    kill.args([&format!("-{name}"), &pid.to_string()]).stderr(Stdio::null());
    kill.status().unwrap().success()
}
