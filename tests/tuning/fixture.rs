//! A small tuned experiment, what became of it, and a fault in the freeze.

use std::process::Output;

use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use tokio::runtime::Runtime;

use super::support::{Server, processes};

pub const TRIALS: usize = 3;
pub const TUNING_SEEDS: [u64; 2] = [1000, 1001];
pub const SEEDS: [u64; 3] = [0, 1, 2];

/// Two arms on digits, of which many images are held out. A run takes about a second.
pub fn spec() -> Value {
    json!({
        "name": "tuned", "seeds": SEEDS,
        "train": {
            "steps": 600, "batch_size": 16, "log_every_steps": 10, "evaluate_every": 200,
            "data": { "name": "digits", "validation": 0.5 }, "model": { "kind": "mlp", "hidden": [32, 32] },
        },
        "tune": {
            "trials": TRIALS, "seeds": TUNING_SEEDS,
            "space": { "optimizer.learning_rate": { "from": 0.001, "to": 0.3, "scale": "log" } },
        },
        "arms": [
            { "name": "baseline", "method": { "kind": "baseline" } },
            { "name": "opt-cayley", "method": { "kind": "opt", "transform": "cayley" },
              "tune": { "method.learning_rate": { "from": 0.01, "to": 1.0, "scale": "log" } } },
        ],
    })
}

/// The curves of a job by series: steps and values.
pub type Curves = Vec<(String, Vec<(i64, f64)>)>;

/// The choices, and the curves of all jobs by arm, trial and seed. Time and speed are left out.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    choices: Value,
    curves: Vec<(String, Curves)>,
}

impl Outcome {
    /// The curves of a run of a trial.
    pub fn of_trial(&self, arm: &str, trial: usize, seed: u64) -> &Curves {
        let name = format!("\"{arm}\" {trial} {seed}");
        &self.curves.iter().find(|(other, _)| *other == name).unwrap().1
    }

    /// The choice of an arm.
    pub fn chosen(&self, arm: &str) -> &Value {
        let arms = self.choices["arms"].as_array().unwrap();
        &arms.iter().find(|one| one["arm"] == arm).unwrap()["chosen"]
    }
}

/// The jobs of a phase.
pub fn phase<'a>(jobs: &'a [Value], phase: &str) -> Vec<&'a Value> {
    jobs.iter().filter(|job| job["phase"] == phase).collect()
}

/// The tuning without the ids and times of jobs, which are others on another server.
pub fn tuning(server: &Server, id: i64) -> Value {
    let mut tuning = server.read(&format!("/api/v1/experiments/{id}/tuning"));
    for arm in tuning["arms"].as_array_mut().unwrap() {
        assert!(arm["trial_seconds"].is_null() || arm["trial_seconds"].as_f64() > Some(0.0), "{arm:#}");
        arm["trial_seconds"] = Value::Null;
        arm["in_baseline_time"] = Value::Null;
        for candidate in arm["candidates"].as_array_mut().unwrap() {
            for run in candidate["runs"].as_array_mut().unwrap() {
                assert!(run["job_id"].is_number());
                run["job_id"] = Value::Null;
                run["seconds"] = Value::Null;
            }
        }
    }
    tuning["baseline_seconds"] = Value::Null;
    tuning
}

pub fn outcome(server: &Server, id: i64) -> Outcome {
    let mut choices = tuning(server, id);
    for arm in choices["arms"].as_array_mut().unwrap() {
        arm["frozen_at"] = Value::Null;
    }
    let mut curves: Vec<_> = server
        .jobs(id)
        .iter()
        .map(|job| {
            assert_eq!(job["state"], "succeeded", "{job:#}");
            let of_job = server.curves(job).into_iter().filter(|(name, _)| name != "samples_per_second");
            (format!("{} {} {}", job["arm"], job["trial"], job["seed"]), of_job.collect())
        })
        .collect();
    curves.sort_by(|(one, _), (other, _)| one.cmp(other));
    let names: Vec<&String> = curves.iter().map(|(name, _)| name).collect();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "no job twice: {names:?}");
    assert_eq!(curves.len(), 2 * (TRIALS * TUNING_SEEDS.len() + SEEDS.len()), "none is missing");
    Outcome { choices, curves }
}

/// Runs a command of the client.
pub fn optlab(server: &Server, args: &[&str]) -> Output {
    processes::optlab().args(args).env("OPTLAB_SERVER", &server.address).output().unwrap()
}

/// A fault of the database: only one confirming job can be inserted, so that a freeze fails in its middle.
pub struct Fault;

impl Fault {
    pub fn begin(url: &str) {
        execute(url, "CREATE UNIQUE INDEX fault ON jobs (phase) WHERE phase = 'confirm'");
    }

    pub fn end(url: &str) {
        execute(url, "DROP INDEX fault");
    }
}

fn execute(url: &str, sql: &'static str) {
    Runtime::new().unwrap().block_on(async {
        if url.starts_with("sqlite:") {
            SqliteConnection::connect(url).await.unwrap().execute(sql).await.unwrap();
        } else {
            PgConnection::connect(url).await.unwrap().execute(sql).await.unwrap();
        }
    });
}
