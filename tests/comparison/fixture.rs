//! Experiments whose jobs are run by the test instead of a worker process.

use std::process::{Command, Output};
use std::sync::Arc;

use optlab::store::{self, AttemptEnd, Claim, CompleteRun, Origin, Slot, Store};
use optlab_domain::{Device, EndReason};
use optlab_spec::protocol::{Environment, Failure, Point, Summary};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::err;
use super::support::{Database, OPTLAB, Server};

const LEASE_MS: i64 = 60_000;
const SEEDS: [i64; 7] = [0, 1, 2, 3, 4, 5, 6];
const BASELINE: [f64; 7] = [90.0, 90.3, 89.8, 90.1, 90.2, 90.4, 89.9];
/// Gain of the arms over the baseline in accuracy, per seed.
pub const CAYLEY: [f64; 7] = [1.0, 0.8, 1.1, 0.9, 1.0, 0.9, 1.2];
pub const OTHER: [f64; 7] = [0.1, -0.2, 0.2, 0.0, -0.3, 0.3, -0.1];

/// A server without slots, and a worker in this process that ends jobs as the test requires.
pub struct Fixture {
    pub server: Server,
    store: Arc<Store>,
    slot: Slot,
    pub experiment: i64,
    pub folder: TempDir,
}

impl Fixture {
    /// All jobs but two have succeeded: opt-cayley diverged with seed 3, and the baseline failed with seed 4.
    pub async fn new(database: Database) -> Self {
        let folder = TempDir::new().unwrap();
        let url = database.create(&folder);
        let server = Server::without_slots(&url, &folder);
        let store = store::join(&url).await.unwrap();
        let worker = store.register_worker("test", &[], &Origin::default()).await.unwrap();
        let slot = Slot { worker, device: Device::Cpu };
        let mut fixture = Self { server, store, slot, experiment: 0, folder };
        let arms = json!([
            { "name": "opt-cayley", "method": { "kind": "opt", "transform": "cayley" } },
            { "name": "baseline", "method": { "kind": "baseline" } },
            { "name": "other", "method": { "kind": "mhe" }, "train": { "batch_size": 16 } },
        ]);
        fixture.experiment = fixture.submit(&json!({ "name": "compared", "seeds": SEEDS, "arms": arms }));
        while let Some(claim) = fixture.claim().await {
            let why = match (claim.spec.arm.as_str(), claim.spec.seed) {
                ("opt-cayley", 3) => Some(EndReason::Diverged),
                ("baseline", 4) => Some(EndReason::UserError),
                _ => None,
            };
            fixture.train(&claim, why).await;
        }
        fixture
    }

    /// Submits an experiment with the same training, on which these overrides are laid, and trains all of its jobs.
    pub async fn add(&self, overrides: &Value) -> i64 {
        let experiment = self.submit(overrides);
        while let Some(claim) = self.claim().await {
            self.train(&claim, None).await;
        }
        experiment
    }

    fn submit(&self, overrides: &Value) -> i64 {
        let train = json!({ "steps": 100, "evaluate_every": 10, "data": { "validation": 0.1 } });
        let overrides = optlab_spec::merge(json!({ "train": train }), overrides);
        self.server.submit(&json!({ "recipe": "digits-mlp", "overrides": overrides }))
    }

    pub async fn claim(&self) -> Option<Claim> {
        self.store.claim(&self.slot, LEASE_MS).await.unwrap()
    }

    /// The accuracy climbs to its best in the middle of the run, one point above where it ends.
    pub async fn train(&self, claim: &Claim, fails: Option<EndReason>) {
        let (arm, seed) = (claim.spec.arm.as_str(), claim.spec.seed as usize);
        let elsewhere = arm == "opt-cayley" && seed == 1;
        let environment = Environment {
            optlab: "0".to_owned(),
            libtorch: "2".to_owned(),
            device: "cpu".to_owned(),
            device_name: if elsewhere { "another cpu" } else { "a cpu" }.to_owned(),
            threads: 1,
        };
        self.store.start(claim.lease, &environment, 0, 100).await.unwrap();
        let accuracy = accuracy(arm, seed);
        let point = |series: &str, step, value| Point { series: series.to_owned(), step, value, time_ms: 1 };
        let mut points: Vec<Point> = (0..=10u32)
            .map(|number| {
                let value = match number {
                    0 => 10.0,
                    5 => accuracy + 1.0,
                    number => accuracy - 0.1 * f64::from(10 - number),
                };
                point("test/accuracy", u64::from(number) * 10, value)
            })
            .collect();
        // The validation set is a little easier.
        let easier = points.iter().map(|test| point("validation/accuracy", test.step, test.value + 0.5));
        points.extend(easier.collect::<Vec<_>>());
        points.push(point("energy/mean", 100, 0.5 + accuracy / 1e3));
        self.store.record(claim.lease, &points, Some(100), LEASE_MS).await.unwrap();
        let end = match fails {
            Some(reason) => AttemptEnd::Failed(Failure::of(reason, "it <b>went</b> wrong")),
            None => AttemptEnd::Finished(CompleteRun {
                summary: Summary {
                    parameters_trained: if arm == "other" { 120 } else { 100 },
                    seconds: 3.0 + accuracy / 100.0,
                    peak_memory_bytes: (arm != "other").then_some(300_000_000 + seed as u64),
                    weights: None,
                },
                points: Vec::new(),
                missing_files: Vec::new(),
            }),
        };
        self.store.end(claim.lease, end).await.unwrap();
    }

    /// The comparison of several experiments.
    pub fn across(&self, experiments: &str, query: &str) -> Value {
        self.server.read(&format!("/api/v1/comparison?experiments={experiments}{query}"))
    }

    pub fn compare(&self, query: &str) -> Value {
        self.server.read(&format!("/api/v1/experiments/{}/comparison{query}", self.experiment))
    }

    pub fn optlab(&self, args: &[&str]) -> Output {
        self.command("compare", args)
    }

    /// Runs a command on the experiment.
    pub fn command(&self, name: &str, args: &[&str]) -> Output {
        let id = self.experiment.to_string();
        self.command_on(name, &[&[id.as_str()], args].concat())
    }

    pub fn command_on(&self, name: &str, args: &[&str]) -> Output {
        let mut command = Command::new(OPTLAB);
        command.arg(name).args(args).current_dir(self.folder.path());
        command.env("OPTLAB_SERVER", &self.server.address).output().unwrap()
    }

    pub fn out(&self, args: &[&str]) -> String {
        let output = self.optlab(args);
        assert!(output.status.success(), "{args:?}: {}", err(&output));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Seeds beyond those of the first experiment repeat its figures.
pub fn accuracy(arm: &str, seed: usize) -> f64 {
    let seed = seed % SEEDS.len();
    match arm {
        "opt-cayley" => BASELINE[seed] + CAYLEY[seed],
        "other" => BASELINE[seed] + OTHER[seed],
        "guess" => 10.0,
        _ => BASELINE[seed],
    }
}
