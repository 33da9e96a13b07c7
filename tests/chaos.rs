//! Faults by a seeded schedule, on both databases: every job ends once, with the curves and weights of an undisturbed one.
//!
//! `make chaos` runs whole rounds; the seed is printed and taken from OPTLAB_CHAOS_SEED again.

mod support;

use std::collections::{BTreeMap, VecDeque};
use std::env;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use support::postgres::Postgres;
use support::processes::{Worker, signal};
use support::{Database, Server, kill};
use tempfile::TempDir;

const WORKERS: usize = 3;
/// Of the workers of this test, in milliseconds.
const LEASE_MS: u64 = 2000;
const STEPS: u64 = 400;

#[test]
fn on_sqlite() {
    rounds(Database::Sqlite);
}

#[test]
fn on_postgres() {
    rounds(Database::Postgres);
}

fn rounds(database: Database) {
    let setting = |name: &str, default: u64| {
        env::var(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name}={value}")))
    };
    let first = setting("OPTLAB_CHAOS_SEED", 1);
    let (jobs, faults) = (setting("OPTLAB_CHAOS_JOBS", 8), setting("OPTLAB_CHAOS_FAULTS", 6));
    for seed in first..first + setting("OPTLAB_CHAOS_ROUNDS", 1) {
        println!("{database:?}, {jobs} jobs, {faults} faults: OPTLAB_CHAOS_SEED={seed}");
        Round::new(database, seed, jobs, faults).run();
    }
}

/// What can go wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    KillRunner(usize),
    KillWorker(usize),
    /// Stopped past its lease, then woken up.
    FreezeWorker(usize),
    KillServer,
    CrashDatabase,
}

struct Round {
    schedule: VecDeque<(Duration, Fault)>,
    jobs: u64,
    folder: TempDir,
    url: String,
    postgres: Option<Postgres>,
    server: Option<Server>,
    workers: Vec<Worker>,
    /// Points that the API has shown, by job and series.
    seen: BTreeMap<(i64, String), Vec<(i64, f64)>>,
}

impl Round {
    fn new(database: Database, seed: u64, jobs: u64, faults: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let postgres = matches!(database, Database::Postgres).then(Postgres::own);
        let url = postgres.as_ref().map_or_else(|| database.create(&folder), Postgres::database);
        let mut random = Random(seed);
        let kinds = if postgres.is_some() { 5 } else { 4 };
        let schedule = (0..faults).map(|_| {
            let pause = Duration::from_millis(200 + random.below(1800));
            let worker = random.below(WORKERS as u64) as usize;
            let fault = match random.below(kinds) {
                0 => Fault::KillRunner(worker),
                1 => Fault::KillWorker(worker),
                2 => Fault::FreezeWorker(worker),
                3 => Fault::KillServer,
                _ => Fault::CrashDatabase,
            };
            (pause, fault)
        });
        let server = Some(Server::without_slots(&url, &folder));
        let schedule = schedule.collect();
        Self { schedule, jobs, folder, url, postgres, server, workers: Vec::new(), seen: BTreeMap::new() }
    }

    fn run(mut self) {
        let disturbed = self.server().submit(&experiment(self.jobs));
        self.workers = (0..WORKERS).map(|_| Worker::start(&self.url)).collect();
        while let Some((pause, fault)) = self.schedule.pop_front() {
            sleep(pause);
            self.note_what_is_acknowledged(disturbed);
            println!("{fault:?}");
            self.happen(fault);
        }
        let jobs = self.server().wait_for_success(disturbed);
        let undisturbed = self.server().submit(&experiment(self.jobs));
        let others = self.server().wait_for_success(undisturbed);
        for (job, other) in jobs.iter().zip(&others) {
            self.check(job, other);
        }
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("one is running")
    }

    fn happen(&mut self, fault: Fault) {
        match fault {
            Fault::KillRunner(worker) => self.workers[worker].runners().into_iter().for_each(kill),
            Fault::KillWorker(worker) => {
                self.workers[worker] = Worker::start(&self.url);
            }
            Fault::FreezeWorker(worker) => {
                let pid = self.workers[worker].child.id();
                assert!(signal(pid, "STOP"));
                sleep(Duration::from_millis(2 * LEASE_MS));
                assert!(signal(pid, "CONT"));
            }
            Fault::KillServer => {
                self.server.take().expect("one is running").kill();
                self.server = Some(Server::without_slots(&self.url, &self.folder));
            }
            Fault::CrashDatabase => {
                let postgres = self.postgres.as_mut().expect("only with Postgres");
                postgres.crash();
                postgres.start();
            }
        }
    }

    /// What was shown was committed. It may be taken back to a checkpoint later, but comes again as it was.
    fn note_what_is_acknowledged(&mut self, experiment: i64) {
        let filter = format!("/api/v1/jobs?experiment={experiment}&limit=1000");
        let answer = self.server().get(&filter);
        if answer.status != 200 {
            // The database has just been crashed.
            return;
        }
        for job in answer.json()["items"].as_array().unwrap() {
            let metrics = self.server().get(&format!("/api/v1/jobs/{}/metrics?points=10000", job["id"]));
            if metrics.status == 200 {
                for (series, points) in support::curves_of(&metrics.json()) {
                    self.seen.insert((job["id"].as_i64().unwrap(), series), points);
                }
            }
        }
    }

    fn check(&self, job: &Value, undisturbed: &Value) {
        assert_eq!((&job["arm"], &job["seed"]), (&undisturbed["arm"], &undisturbed["seed"]));
        let curves = |job: &Value| {
            let curves = self.server().curves(job).into_iter();
            curves.filter(|(name, _)| name != "samples_per_second").collect::<Vec<_>>()
        };
        let ours = curves(job);
        assert_eq!(ours, curves(undisturbed), "{job:#}");
        for (series, points) in &ours {
            assert!(
                points.windows(2).all(|pair| pair[0].0 < pair[1].0),
                "{series} has a step twice: {job:#}"
            );
            for point in self.seen.get(&(job["id"].as_i64().unwrap(), series.clone())).into_iter().flatten() {
                assert!(points.contains(point), "{series} has lost {point:?}: {job:#}");
            }
        }
        assert_eq!(self.weights(job), self.weights(undisturbed), "{job:#}");
        let attempts = self.server().read(&format!("/api/v1/jobs/{}/attempts", job["id"]));
        let attempts = attempts["items"].as_array().unwrap();
        let completed = attempts.iter().filter(|attempt| attempt["end_reason"] == "completed").count();
        assert_eq!(completed, 1, "{attempts:#?}");
        assert!(attempts.iter().all(|attempt| !attempt["ended_at"].is_null()), "{attempts:#?}");
    }

    fn weights(&self, job: &Value) -> Value {
        let artifacts = self.server().read(&format!("/api/v1/jobs/{}/artifacts", job["id"]));
        let found =
            artifacts["items"].as_array().unwrap().iter().find(|artifact| artifact["kind"] == "weights");
        found.unwrap_or_else(|| panic!("no weights: {artifacts:#}"))["sha256"].clone()
    }
}

/// Short jobs of several methods, each with checkpoints to go on from.
fn experiment(jobs: u64) -> Value {
    let opt = |name: &str, more: Value| {
        let method = optlab_spec::merge(json!({ "kind": "opt" }), &more);
        json!({ "name": name, "method": method })
    };
    let arms = json!([
        { "name": "baseline", "method": { "kind": "baseline" } },
        opt("cayley", json!({ "transform": "cayley" })),
        opt("descent", json!({ "transform": "descent" })),
        opt("s-opt", json!({ "transform": "gram_schmidt", "stochastic": { "inner_steps": 30 } })),
    ]);
    let seeds: Vec<u64> = (0..jobs.div_ceil(4)).collect();
    json!({
        "name": "chaos", "seeds": seeds, "arms": arms, "max_attempts": 100, "checkpoint": { "every_steps": 40 },
        "train": {
            "steps": STEPS, "evaluate_every": 100, "log_every_steps": 5, "batch_size": 32,
            "data": { "name": "digits" }, "model": { "kind": "mlp", "hidden": [48, 48], "batch_norm": true },
            "optimizer": { "kind": "adam", "learning_rate": 0.001 },
        },
    })
}

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}
