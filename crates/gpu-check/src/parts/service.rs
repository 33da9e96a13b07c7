//! A job of the service on the device: its runner is killed, and the job goes on from its checkpoint to its end.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use optlab_runner::clock;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::error::CheckError;
use crate::setting::Setting;

const STEPS: u64 = 3000;
const LOG_EVERY: u64 = 10;
/// Updates after which the runner is killed.
const KILL_AT: u64 = 150;
/// Interval between two looks at the job.
const POLL: Duration = Duration::from_millis(100);

pub fn run(setting: &mut Setting) -> Result<(), CheckError> {
    let server = Server::start(setting)?;
    let spec = setting.folder.join("spec.json");
    fs::write(&spec, serde_json::to_vec(&experiment(setting.on_gpu()))?)?;
    let submitted = server.json(&["submit", &spec.display().to_string(), "--json"])?;
    let id = submitted["id"].to_string();

    let (began, mut killed) = (clock::instant(), None);
    let job = loop {
        let job = server.json(&["jobs", &id, "--json"])?[0].clone();
        let is_running = job["state"] == "running";
        if killed.is_none() && is_running && job["step"].as_u64() > Some(KILL_AT) {
            killed = Some(server.kill_runner()?);
        }
        if !is_running && job["state"] != "queued" || setting.is_over() {
            break job;
        }
        thread::sleep(POLL);
    };
    let seconds = began.elapsed().as_secs_f64();
    let points = server.command(&["export", &id, "--format", "csv", "--output", "-"])?;
    let steps = steps_of_losses(&points);
    let is_whole = steps == (LOG_EVERY..=STEPS).step_by(LOG_EVERY as usize).map(Some).collect();
    let cells = json!({
        "device": job["device"], "state": job["state"], "attempts": job["attempt"], "killed_runner": killed,
        "points_of_the_loss": steps.len(), "seconds": seconds, "error": job["error"], "why_queued": job["why_queued"],
    });
    let is_right = is_whole
        && job["state"] == "succeeded"
        && job["attempt"].as_u64() == Some(2)
        && job["device"] == setting.runner_device.to_string();
    setting.records.row("job", Some(is_right), cells)?;
    if !is_right {
        eprintln!("{}\n{job:#}\n{}", server.log(), server.command(&["logs", &job["id"].to_string()])?);
    }
    Ok(())
}

fn experiment(on_gpu: bool) -> Value {
    json!({
        "name": "killed",
        "resources": { "device": if on_gpu { "cuda" } else { "cpu" } },
        "checkpoint": { "every_steps": 100 },
        "train": {
            "steps": STEPS, "log_every_steps": LOG_EVERY, "evaluate_every": 500, "batch_size": 32,
            "data": { "name": "digits" }, "model": { "kind": "mlp", "hidden": [64, 64] },
            "optimizer": { "kind": "sgd", "learning_rate": 0.01 },
        },
        "arms": [{ "name": "cayley", "method": { "kind": "opt", "transform": "cayley" } }],
    })
}

/// The steps of `train/loss` in exported points; `None` for a line without a step.
fn steps_of_losses(csv: &str) -> BTreeSet<Option<u64>> {
    let mut lines = csv.lines();
    let columns: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let place = columns.iter().position(|column| *column == "step");
    let losses = lines.filter(|line| line.split(',').any(|cell| cell == "train/loss"));
    losses.map(|line| line.split(',').nth(place?)?.parse().ok()).collect()
}

/// `optlab serve` with one slot; killed when dropped.
struct Server {
    child: Child,
    program: PathBuf,
    address: String,
    log: PathBuf,
}

impl Server {
    fn start(setting: &Setting) -> Result<Self, CheckError> {
        let (program, log) = (setting.programs.optlab(), setting.folder.join("serve.log"));
        let mut command = Command::new(&program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--workers", "1"]).current_dir(&setting.folder);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?).spawn()?;
        let mut server = Self { child, program, address: String::new(), log };
        loop {
            if let Some(address) = server.serving()? {
                server.address = address;
                return Ok(server);
            }
            if setting.is_over() || server.child.try_wait()?.is_some() {
                return Err(CheckError::Program(format!("optlab serve does not start:\n{}", server.log())));
            }
            thread::sleep(POLL);
        }
    }

    /// The address in its log, once it serves.
    fn serving(&self) -> Result<Option<String>, CheckError> {
        for line in BufReader::new(File::open(&self.log)?).lines() {
            if let Some((_, rest)) = line?.split_once("serving http") {
                let address = rest.split(' ').next().unwrap_or_default();
                return Ok(Some(format!("http{}", address.trim_end_matches('/'))));
            }
        }
        Ok(None)
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Runs a command against this server, and returns what it prints.
    fn command(&self, arguments: &[&str]) -> Result<String, CheckError> {
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

    fn json(&self, arguments: &[&str]) -> Result<Value, CheckError> {
        Ok(serde_json::from_str(&self.command(arguments)?)?)
    }

    /// Kills the runner of the slot, and returns its process id.
    fn kill_runner(&self) -> Result<i32, CheckError> {
        let runner = fs::read_dir("/proc")?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .find(|pid| is_runner_of(*pid, self.child.id()));
        let pid = runner.ok_or_else(|| CheckError::Program("the server has no runner".to_owned()))?;
        if let Some(process) = Pid::from_raw(pid) {
            kill_process(process, Signal::KILL).map_err(std::io::Error::from)?;
        }
        Ok(pid)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_runner_of(pid: i32, parent: u32) -> bool {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    // After the name in parentheses: the state, and the parent.
    let stat = read("stat");
    let of_parent =
        stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) == Some(&parent.to_string());
    of_parent && read("cmdline").contains("optlab-runner")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_from_exported_points() {
        let csv = "job,arm,series,step,value\n1,cayley,train/loss,10,0.5\n1,cayley,test/loss,20,0.5\n1,cayley,train/loss,20,0.4\n";
        assert_eq!(steps_of_losses(csv), BTreeSet::from([Some(10), Some(20)]));
        assert_eq!(steps_of_losses("a,b\ntrain/loss,1\n"), BTreeSet::from([None]));
    }
}
