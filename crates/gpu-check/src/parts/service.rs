//! A job of the service on the device: its runner is killed, and the job goes on from its checkpoint to its end.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::Duration;

use optlab_runner::clock;
use serde_json::{Value, json};

use crate::error::CheckError;
use crate::server_process::Server;
use crate::setting::Setting;

const STEPS: u64 = 3000;
const LOG_EVERY: u64 = 10;
/// Updates after which the runner is killed.
const KILL_AT: u64 = 150;
/// Interval between two looks at the job.
const POLL: Duration = Duration::from_millis(100);

pub fn run(setting: &mut Setting) -> Result<(), CheckError> {
    let server = Server::start(setting, &setting.folder, 1)?;
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
