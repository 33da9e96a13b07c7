//! Random faults from a seed, on both databases: every job ends once, with the curves and weights of an undisturbed
//! run, and leaves no process and no file behind.
//!
//! `make chaos` runs whole rounds. The test prints its seed; OPTLAB_CHAOS_SEED repeats a run.

#[path = "../support/mod.rs"]
mod support;

mod disk;
mod faults;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use disk::Disk;
use faults::Fault;
use serde_json::{Value, json};
use support::postgres::Postgres;
use support::processes::Worker;
use support::waiting::{turn, wait_until};
use support::{Database, Server};
use tempfile::TempDir;

const WORKERS: usize = 3;
/// The lease of the workers, in milliseconds.
const LEASE_MS: u64 = 2000;

#[test]
fn on_sqlite() {
    rounds(Database::Sqlite);
}

#[test]
fn on_postgres() {
    rounds(Database::Postgres);
}

fn rounds(database: Database) {
    let _turn = turn();
    let setting = |name: &str, default: u64| {
        env::var(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name}={value}")))
    };
    let first = setting("OPTLAB_CHAOS_SEED", 1);
    let work = Work { jobs: setting("OPTLAB_CHAOS_JOBS", 8), steps: setting("OPTLAB_CHAOS_STEPS", 400) };
    let faults = setting("OPTLAB_CHAOS_FAULTS", 6);
    let undisturbed = Round::new(database, first, work, 0).run();
    for seed in first..first + setting("OPTLAB_CHAOS_ROUNDS", 1) {
        println!("{database:?}, {work:?}, {faults} faults: OPTLAB_CHAOS_SEED={seed}");
        let disturbed = Round::new(database, seed, work, faults).run();
        assert_eq!(disturbed.len(), undisturbed.len());
        for (ours, other) in disturbed.iter().zip(&undisturbed) {
            assert!(ours == other, "the outcome differs from that without faults: {ours:?}, {other:?}");
        }
    }
}

/// The outcome of a job.
#[derive(Debug, PartialEq)]
struct Outcome {
    arm: String,
    seed: u64,
    /// Steps and values by series, without timing series.
    curves: Vec<(String, Vec<(i64, f64)>)>,
    /// SHA-256.
    weights: String,
}

/// Number and length of the jobs.
#[derive(Clone, Copy, Debug)]
struct Work {
    jobs: u64,
    /// Updates of each job.
    steps: u64,
}

struct Round {
    schedule: VecDeque<(Duration, Fault)>,
    work: Work,
    url: String,
    postgres: Option<Postgres>,
    server: Option<Server>,
    workers: Vec<Worker>,
    /// Points that the API has returned, by job and series.
    seen: BTreeMap<(i64, String), Vec<(i64, f64)>>,
    /// Ended jobs whose points have all been read.
    seen_whole: BTreeSet<i64>,
    /// All runner processes so far.
    runners: BTreeSet<u32>,
    /// Disks for the artifacts and, with SQLite, the database, if disks can be mounted and filled.
    files: Option<Disk>,
    data: Option<Disk>,
    folder: TempDir,
}

impl Round {
    fn new(database: Database, seed: u64, work: Work, faults: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let postgres = matches!(database, Database::Postgres).then(Postgres::own);
        let files = Disk::mount(folder.path().join("files"));
        let data = folder.path().join("data");
        let (url, data) = match &postgres {
            Some(postgres) => (postgres.database(), None),
            None => (format!("sqlite:{}/optlab.db", data.display()), Disk::mount(data)),
        };
        if files.is_none() {
            println!("no disk is filled, because this process may not mount one");
        }
        let kinds = faults::kinds(postgres.is_some(), files.is_some());
        let mut random = Random(seed);
        let schedule = (0..faults).map(|_| {
            let pause = Duration::from_millis(200 + random.below(1800));
            let worker = random.below(WORKERS as u64) as usize;
            (pause, kinds[random.below(kinds.len() as u64) as usize](worker))
        });
        let schedule = schedule.collect();
        let (workers, seen, seen_whole, runners) = Default::default();
        let server = Some(start_server(&url, &folder));
        Self {
            schedule,
            work,
            url,
            postgres,
            server,
            workers,
            seen,
            seen_whole,
            runners,
            files,
            data,
            folder,
        }
    }

    /// The outcomes of all jobs, in order.
    fn run(mut self) -> Vec<Outcome> {
        let experiment = self.server().submit(&experiment(self.work));
        self.workers = (0..WORKERS).map(|_| Worker::start(&self.url)).collect();
        let mut idle = 0;
        while let Some((pause, fault)) = self.schedule.pop_front() {
            sleep(pause);
            let has_work = self.note_what_is_acknowledged(experiment);
            idle += u64::from(!has_work);
            self.note_runners();
            println!("{fault:?}");
            self.happen(fault);
            self.note_runners();
        }
        println!("{idle} faults happened after all jobs had ended");
        let jobs = self.server().wait_for_success(experiment);
        let outcomes = jobs.iter().map(|job| self.outcome(job)).collect();
        wait_until("every row has a file and every file a row", || self.stored() == self.noted());
        self.note_runners();
        self.workers.clear();
        let runs = |runner: &u32| {
            let program = fs::read_link(format!("/proc/{runner}/exe"));
            program.is_ok_and(|program| program.ends_with("optlab-runner"))
        };
        wait_until("no runner is left", || !self.runners.iter().any(runs));
        outcomes
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("one is running")
    }

    fn note_runners(&mut self) {
        self.runners.extend(self.workers.iter().flat_map(Worker::runners));
    }

    /// The paths of all files of jobs.
    fn stored(&self) -> BTreeSet<String> {
        let root = self.folder.path().join("files");
        let name = |file: PathBuf| file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        files_below(&root.join("jobs")).into_iter().map(name).collect()
    }

    /// The paths that have a row.
    fn noted(&self) -> BTreeSet<String> {
        let query = json!({ "sql": "SELECT path FROM artifacts", "limit": 10000 });
        let answer = self.server().post("/api/v1/query", &query);
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = answer.json();
        assert_eq!(answer["truncated"], false);
        let rows = answer["rows"].as_array().unwrap();
        rows.iter().map(|row| row[0].as_str().unwrap().to_owned()).collect()
    }

    /// Reads new points. Points that were returned are committed: a resume may delete them, but writes the same points
    /// again. Returns whether a job has not ended or cannot be read.
    fn note_what_is_acknowledged(&mut self, experiment: i64) -> bool {
        let filter = format!("/api/v1/jobs?experiment={experiment}&limit=1000");
        let answer = self.server().get(&filter);
        if answer.status != 200 {
            // The database has just been crashed.
            return true;
        }
        let answer = answer.json();
        let jobs = answer["items"].as_array().unwrap();
        for job in jobs {
            let id = job["id"].as_i64().unwrap();
            if self.seen_whole.contains(&id) {
                continue;
            }
            let metrics = self.server().get(&format!("/api/v1/jobs/{id}/metrics?points=10000"));
            if metrics.status == 200 {
                for (series, points) in support::curves_of(&metrics.json()) {
                    self.seen.insert((id, series), points);
                }
                if !job["ended_at"].is_null() {
                    self.seen_whole.insert(id);
                }
            }
        }
        jobs.iter().any(|job| job["ended_at"].is_null())
    }

    /// The outcome of the job. Checks that it ended once, that it has every point, and that no point that was read
    /// before is missing.
    fn outcome(&self, job: &Value) -> Outcome {
        let curves = self.server().curves(job).into_iter();
        let curves: Vec<_> = curves.filter(|(name, _)| name != "samples_per_second").collect();
        for (series, first, every) in [("train/loss", 5, 5), ("test/accuracy", 0, 100)] {
            let steps = curves.iter().find(|(name, _)| name == series).unwrap().1.iter().map(|point| point.0);
            let whole = (first..=self.work.steps as i64).step_by(every);
            assert!(steps.eq(whole), "{series} has a hole: {job:#}");
        }
        for (series, points) in &curves {
            assert!(
                points.windows(2).all(|pair| pair[0].0 < pair[1].0),
                "{series} has a step twice: {job:#}"
            );
            for point in self.seen.get(&(job["id"].as_i64().unwrap(), series.clone())).into_iter().flatten() {
                assert!(points.contains(point), "{series} has lost {point:?}: {job:#}");
            }
        }
        let attempts = self.server().read(&format!("/api/v1/jobs/{}/attempts", job["id"]));
        let attempts = attempts["items"].as_array().unwrap();
        let completed = attempts.iter().filter(|attempt| attempt["end_reason"] == "completed").count();
        assert_eq!(completed, 1, "{attempts:#?}");
        assert!(attempts.iter().all(|attempt| !attempt["ended_at"].is_null()), "{attempts:#?}");
        let arm = job["arm"].as_str().unwrap().to_owned();
        Outcome { arm, seed: job["seed"].as_u64().unwrap(), curves, weights: self.weights(job) }
    }

    fn weights(&self, job: &Value) -> String {
        let artifacts = self.server().read(&format!("/api/v1/jobs/{}/artifacts", job["id"]));
        let found =
            artifacts["items"].as_array().unwrap().iter().find(|artifact| artifact["kind"] == "weights");
        found.unwrap_or_else(|| panic!("no weights: {artifacts:#}"))["sha256"].as_str().unwrap().to_owned()
    }
}

/// A server without slots that sweeps stray files every two seconds.
fn start_server(url: &str, folder: &TempDir) -> Server {
    let files = folder.path().join("files");
    let place = ["--database-url", url, "--artifacts", files.to_str().unwrap()];
    let pace = ["--workers", "0", "--lease-seconds", "2", "--sweep-seconds", "2"];
    Server::start_with(folder, &[&place[..], &pace].concat())
}

/// Empty if the folder does not exist.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Jobs of several methods, with frequent checkpoints.
fn experiment(work: Work) -> Value {
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
    let seeds: Vec<u64> = (0..work.jobs.div_ceil(4)).collect();
    json!({
        "name": "chaos", "seeds": seeds, "arms": arms, "max_attempts": 100, "checkpoint": { "every_steps": 40 },
        "train": {
            "steps": work.steps, "evaluate_every": 100, "log_every_steps": 5, "batch_size": 32,
            "data": { "name": "digits" }, "model": { "kind": "mlp", "hidden": [48, 48], "batch_norm": true },
            "optimizer": { "kind": "adam", "learning_rate": 0.001 },
        },
    })
}

/// SplitMix64, which gives the same numbers on every machine.
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
