//! A server without slots, for workers in other processes, and the job that they train.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::processes::Worker;
use super::support::waiting::wait_until;
use super::support::{Database, OPTLAB, Server, long_experiment};

pub const STEPS: u64 = 2000;

/// A server without slots on a new database.
pub struct Fixture {
    pub folder: TempDir,
    pub url: String,
    pub server: Server,
}

impl Fixture {
    pub fn new(database: Database) -> Self {
        let folder = TempDir::new().unwrap();
        let url = database.create(&folder);
        let server = Server::without_slots(&url, &folder);
        Self { folder, url, server }
    }

    /// Submits a job that writes many checkpoints; returns it in the middle of its run.
    pub fn job_in_the_middle(&self) -> (i64, Value) {
        let id = self.server.submit(&experiment());
        let middle = |jobs: &[Value]| jobs[0]["step"].as_i64().unwrap() > 300;
        let job = self.server.wait(id, "the job is in the middle", middle).remove(0);
        // A checkpoint is stored after the points of its step.
        wait_until("its checkpoint of step 250 is stored", || {
            self.checkpoints(&job).iter().any(|checkpoint| checkpoint["step"].as_i64() >= Some(250))
        });
        (id, job)
    }

    /// The output of a client command.
    pub fn command(&self, args: &[&str]) -> String {
        let mut command = Command::new(OPTLAB);
        let output = command.args(args).args(["--server", &self.server.address]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn artifacts(&self, job: &Value) -> Vec<Value> {
        let page = self.server.read(&format!("/api/v1/jobs/{}/artifacts", job["id"]));
        page["items"].as_array().unwrap().clone()
    }

    pub fn checkpoints(&self, job: &Value) -> Vec<Value> {
        self.artifacts(job).into_iter().filter(|artifact| artifact["kind"] == "checkpoint").collect()
    }

    /// Waits until the job succeeds, and checks that its curves (without timing series) and its weights are those of an
    /// undisturbed job, which is trained once for all tests.
    pub fn is_as_undisturbed(&self, id: i64) -> Value {
        let disturbed = self.server.wait_for_success(id).remove(0);
        let undisturbed = UNDISTURBED.get_or_init(|| {
            let _worker = Worker::start(&self.url);
            let job = self.server.wait_for_success(self.server.submit(&experiment())).remove(0);
            self.results(&job)
        });
        assert_eq!(&self.results(&disturbed), undisturbed);
        disturbed
    }

    fn results(&self, job: &Value) -> Results {
        let curves = self.server.curves(job).into_iter();
        let weights = self.artifacts(job).into_iter().find(|artifact| artifact["kind"] == "weights");
        let curves = curves.filter(|(name, _)| name != "samples_per_second").collect();
        Results { curves, weights: weights.expect("weights are stored")["sha256"].clone() }
    }
}

/// What must not depend on disturbances.
#[derive(Debug, PartialEq)]
struct Results {
    curves: Vec<(String, Vec<(i64, f64)>)>,
    /// Their checksum.
    weights: Value,
}

static UNDISTURBED: OnceLock<Results> = OnceLock::new();

/// The job whose undisturbed run `is_as_undisturbed` compares with.
pub fn experiment() -> Value {
    let mut spec = long_experiment(STEPS);
    spec["checkpoint"] = json!({ "every_steps": 50 });
    spec
}

/// The folder of the files of a job's first attempt.
pub fn first_files(fixture: &Fixture, job: &Value) -> PathBuf {
    fixture.folder.path().join(format!("files/jobs/{}/1", job["id"]))
}
