//! Workers in their own processes, on both databases: whatever happens to one, its jobs resume elsewhere, bit for bit.

#![expect(clippy::disallowed_methods, reason = "waits for other processes")]

mod support;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::processes::{Worker, signal};
use support::waiting::{turn, wait_until};
use support::{Database, OPTLAB, Server, kill, long_experiment, small_experiment};
use tempfile::TempDir;

const STEPS: u64 = 2000;

/// Runs a test on both databases.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod sqlite { $(#[test] fn $test() { let _turn = super::turn(); super::$test(super::Database::Sqlite) })* }
        mod postgres { $(#[test] fn $test() { let _turn = super::turn(); super::$test(super::Database::Postgres) })* }
    };
}

on_both![
    a_worker_trains_what_a_server_queues,
    the_job_of_a_killed_worker_resumes_from_its_checkpoint,
    a_frozen_worker_that_wakes_up_writes_nothing,
    a_paused_job_resumes_with_the_same_bits,
    a_stopping_worker_hands_its_job_back,
    a_damaged_checkpoint_is_skipped,
    checkpoints_that_reappear_leave_no_hole_in_the_curve,
    a_job_waits_for_a_checkpoint_that_cannot_be_fetched,
    weights_that_cannot_be_stored_are_retried,
    a_success_without_weights_is_reported,
    a_worker_with_crashing_runners_pauses_and_fails_no_job,
    a_machine_that_cannot_run_a_job_reports_why_and_leaves_it_to_another,
    a_machine_without_the_data_set_names_the_damaged_file,
    a_hung_runner_is_killed_and_its_job_resumes,
];

struct House {
    folder: TempDir,
    url: String,
    server: Server,
}

impl House {
    fn new(database: Database) -> Self {
        let folder = TempDir::new().unwrap();
        let url = database.create(&folder);
        let server = Server::without_slots(&url, &folder);
        Self { folder, url, server }
    }

    /// Submits a job that writes many checkpoints; returns it in the middle of its run.
    fn job_in_the_middle(&self) -> (i64, Value) {
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
    fn command(&self, args: &[&str]) -> String {
        let mut command = Command::new(OPTLAB);
        let output = command.args(args).args(["--server", &self.server.address]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn artifacts(&self, job: &Value) -> Vec<Value> {
        let page = self.server.read(&format!("/api/v1/jobs/{}/artifacts", job["id"]));
        page["items"].as_array().unwrap().clone()
    }

    fn checkpoints(&self, job: &Value) -> Vec<Value> {
        self.artifacts(job).into_iter().filter(|artifact| artifact["kind"] == "checkpoint").collect()
    }

    /// Waits until the job succeeds, and checks that its curves (without timing series) and its weights are those of an
    /// undisturbed job.
    fn is_as_undisturbed(&self, id: i64) -> Value {
        let disturbed = self.server.wait_for_success(id).remove(0);
        let worker = Worker::start(&self.url);
        let undisturbed = self.server.wait_for_success(self.server.submit(&experiment())).remove(0);
        drop(worker);
        let facts = |job: &Value| {
            let curves = self.server.curves(job).into_iter();
            let weights = self.artifacts(job).into_iter().find(|artifact| artifact["kind"] == "weights");
            let curves: Vec<_> = curves.filter(|(name, _)| name != "samples_per_second").collect();
            (curves, weights.expect("weights are stored")["sha256"].clone())
        };
        assert_eq!(facts(&disturbed), facts(&undisturbed));
        disturbed
    }
}

/// The folder of the files of a job's first attempt.
fn first_files(house: &House, job: &Value) -> PathBuf {
    house.folder.path().join(format!("files/jobs/{}/1", job["id"]))
}

fn experiment() -> Value {
    let mut spec = long_experiment(STEPS);
    spec["checkpoint"] = json!({ "every_steps": 50 });
    spec
}

fn a_worker_trains_what_a_server_queues(database: Database) {
    let house = House::new(database);
    let id = house.server.submit(&small_experiment(1, &[0, 1]));
    let waiting = house.server.jobs(id).remove(0);
    assert!(waiting["why_queued"].as_str().unwrap().contains("no worker is active"), "{waiting:#}");
    let mut worker = Worker::start_with(&house.url, &["--exit-when-idle", "2"]);
    let jobs = house.server.wait_for_success(id);
    assert_eq!(jobs.len(), 6);
    let workers = house.server.read("/api/v1/workers");
    let devices = &workers["items"][0]["devices"];
    assert_eq!((&devices[0]["device"], &devices[1]), (&json!("cpu"), &Value::Null), "{devices:#}");
    assert!(!devices[0]["name"].as_str().unwrap().is_empty(), "{devices:#}");
    let bytes = |field: &str| devices[0][field].as_u64().unwrap();
    assert!(bytes("memory_used_bytes") < bytes("memory_bytes"), "{devices:#}");
    let kinds: Vec<_> = house.artifacts(&jobs[0]).iter().map(|artifact| artifact["kind"].clone()).collect();
    assert_eq!(kinds, ["environment", "log", "spec", "weights"]);
    let weights = format!("/api/v1/jobs/{}/artifacts/weights.safetensors", jobs[0]["id"]);
    let part = house.server.send("GET", &weights, &[("range", "bytes=8-8")], b"");
    // A safetensors file begins with the length of its header, and the header with a brace.
    assert_eq!((part.status, part.text.as_str()), (206, "{"));
    assert_eq!(house.server.send("GET", &weights, &[("range", "bytes=99999999-")], b"").status, 416);
    assert!(worker.ends_well(), "it ends when idle");
}

fn the_job_of_a_killed_worker_resumes_from_its_checkpoint(database: Database) {
    let house = House::new(database);
    let worker = Worker::start(&house.url);
    let (id, _) = house.job_in_the_middle();
    drop(worker);
    let queued = |jobs: &[Value]| jobs[0]["state"] == "queued";
    let job = house.server.wait(id, "the lost job is queued again", queued).remove(0);
    assert!(job["step"].as_i64().unwrap() >= 250, "it is at its last checkpoint: {job:#}");
    let _worker = Worker::start(&house.url);
    let job = house.is_as_undisturbed(id);
    assert_eq!(job["attempt"], 2);
    house.server.wait(id, "its checkpoints are gone", |_| house.checkpoints(&job).is_empty());
}

fn a_frozen_worker_that_wakes_up_writes_nothing(database: Database) {
    let house = House::new(database);
    let worker = Worker::start(&house.url);
    let (id, _) = house.job_in_the_middle();
    // SQLite has one writer: frozen inside a transaction, it blocks all others, which wait and report it.
    while {
        assert!(signal(worker.child.id(), "STOP"));
        house
            .server
            .send("PATCH", &format!("/api/v1/experiments/{id}"), &[], br#"{"notes": "frozen"}"#)
            .status
    } == 503
    {
        assert!(signal(worker.child.id(), "CONT"));
    }
    let other = Worker::start(&house.url);
    house.server.wait(id, "another worker has the job", |jobs| jobs[0]["attempt"] == 2);
    assert!(signal(worker.child.id(), "CONT"));
    worker.wait_until_it_says("has lost its lease");
    drop(other);
    assert!(house.is_as_undisturbed(id)["attempt"].as_i64().unwrap() >= 2);
}

fn a_paused_job_resumes_with_the_same_bits(database: Database) {
    let house = House::new(database);
    let _worker = Worker::start(&house.url);
    let (id, job) = house.job_in_the_middle();
    let ask =
        |action: &str| house.server.post(&format!("/api/v1/jobs/{}/{action}", job["id"]), &json!({})).status;
    assert_eq!(ask("pause"), 200);
    let paused = house.server.wait(id, "it is paused", |jobs| jobs[0]["state"] == "paused").remove(0);
    let last = house.checkpoints(&job).iter().map(|checkpoint| checkpoint["step"].as_i64().unwrap()).max();
    assert_eq!(paused["step"].as_i64(), last, "no step is lost");
    assert_eq!((ask("pause"), ask("resume"), ask("resume")), (200, 200, 200));
    let job = house.is_as_undisturbed(id);
    assert_eq!(job["attempt"], 2);
    assert_eq!(ask("pause"), 409);
}

fn a_stopping_worker_hands_its_job_back(database: Database) {
    let house = House::new(database);
    let mut worker = Worker::start(&house.url);
    let (id, _) = house.job_in_the_middle();
    assert!(signal(worker.child.id(), "TERM"));
    assert!(worker.ends_well());
    let job = house.server.jobs(id).remove(0);
    assert_eq!(job["state"], "queued", "{job:#}");
    let attempts = house.server.read(&format!("/api/v1/jobs/{}/attempts", job["id"]));
    assert_eq!(attempts["items"][0]["end_reason"], "handed_back", "{attempts:#}");
    let finishing = Worker::start_with(&house.url, &["--slots-per-device", "1", "--drain", "finish"]);
    house.server.wait(id, "it runs again", |jobs| jobs[0]["attempt"] == 2);
    let waiting = house.server.submit(&experiment());
    assert!(signal(finishing.child.id(), "TERM"));
    house.is_as_undisturbed(id);
    assert_eq!(house.server.jobs(waiting)[0]["attempt"], 1, "waiting jobs are left to others");
}

fn a_damaged_checkpoint_is_skipped(database: Database) {
    let house = House::new(database);
    let worker = Worker::start(&house.url);
    let (id, job) = house.job_in_the_middle();
    worker.runners().into_iter().for_each(kill);
    drop(worker);
    house.server.wait(id, "the lost job is queued again", |jobs| jobs[0]["state"] == "queued");
    let steps = || house.checkpoints(&job).iter().map(|c| c["step"].as_i64().unwrap()).collect::<Vec<_>>();
    let newest = steps().into_iter().max().unwrap();
    let path =
        house.folder.path().join(format!("files/jobs/{}/1/checkpoint-{newest}.safetensors", job["id"]));
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let worker = Worker::start(&house.url);
    worker.wait_until_it_says("is not what was stored");
    house.is_as_undisturbed(id);
}

fn checkpoints_that_reappear_leave_no_hole_in_the_curve(database: Database) {
    let house = House::new(database);
    let worker = Worker::start(&house.url);
    let (id, job) = house.job_in_the_middle();
    assert_eq!(house.server.post(&format!("/api/v1/jobs/{}/pause", job["id"]), &json!({})).status, 200);
    house.server.wait(id, "it is paused", |jobs| jobs[0]["state"] == "paused");
    let (files, away) = (first_files(&house, &job), house.folder.path().join("away"));
    fs::rename(&files, &away).unwrap();
    assert_eq!(house.server.post(&format!("/api/v1/jobs/{}/resume", job["id"]), &json!({})).status, 200);
    house.server.wait(id, "it trains from the beginning", |jobs| {
        jobs[0]["attempt"] == 2 && (100..300).contains(&jobs[0]["step"].as_i64().unwrap())
    });
    worker.runners().into_iter().for_each(kill);
    fs::rename(&away, &files).unwrap();
    house.is_as_undisturbed(id);
}

fn a_job_waits_for_a_checkpoint_that_cannot_be_fetched(database: Database) {
    let house = House::new(database);
    let worker = Worker::start(&house.url);
    let (id, job) = house.job_in_the_middle();
    drop(worker);
    house.server.wait(id, "the lost job is queued again", |jobs| jobs[0]["state"] == "queued");
    // A link to itself cannot be read, not even by root, and is not missing.
    let mut hidden = Vec::new();
    for checkpoint in house.checkpoints(&job) {
        let path = first_files(&house, &job).join(format!("checkpoint-{}.safetensors", checkpoint["step"]));
        let away = path.with_extension("away");
        fs::rename(&path, &away).unwrap();
        symlink(&path, &path).unwrap();
        hidden.push((path, away));
    }
    let worker = Worker::start(&house.url);
    worker.wait_until_it_says("cannot be fetched now");
    let waiting = house.server.wait(id, "it waits again", |jobs| jobs[0]["state"] == "queued").remove(0);
    assert!(waiting["step"].as_i64().unwrap() >= 250, "it has not started again: {waiting:#}");
    assert!(waiting["why_queued"].as_str().unwrap().contains("cannot be fetched now"), "{waiting:#}");
    drop(worker);
    for (path, away) in hidden {
        fs::remove_file(&path).unwrap();
        fs::rename(&away, &path).unwrap();
    }
    let _worker = Worker::start(&house.url);
    let job = house.is_as_undisturbed(id);
    let attempts = house.server.read(&format!("/api/v1/jobs/{}/attempts", job["id"]));
    let started_at = |attempt: &Value| attempt["start_step"].as_i64().unwrap();
    let last = attempts["items"].as_array().unwrap().last().map(started_at);
    assert!(last >= Some(250), "{attempts:#}");
}

/// A job whose weights cannot be stored, because a folder that is not empty has their path.
fn job_without_room_for_weights(house: &House) -> (i64, PathBuf) {
    let id = house.server.submit(&long_experiment(100));
    let job = house.server.jobs(id).remove(0);
    let obstacle = first_files(house, &job).join("weights.safetensors");
    fs::create_dir_all(obstacle.join("full")).unwrap();
    (id, obstacle)
}

fn weights_that_cannot_be_stored_are_retried(database: Database) {
    let house = House::new(database);
    let (id, obstacle) = job_without_room_for_weights(&house);
    let worker = Worker::start(&house.url);
    worker.wait_until_it_says("it is retried at the end of the run");
    fs::remove_dir_all(&obstacle).unwrap();
    let job = house.server.wait_for_success(id).remove(0);
    assert!(job["error"].is_null(), "{job:#}");
    assert!(house.artifacts(&job).iter().any(|artifact| artifact["kind"] == "weights"));
}

fn a_success_without_weights_is_reported(database: Database) {
    let house = House::new(database);
    let (id, _) = job_without_room_for_weights(&house);
    let _worker = Worker::start(&house.url);
    let job = house.server.wait_for_success(id).remove(0);
    let error = job["error"].as_str().unwrap_or_default();
    assert!(error.starts_with("weights.safetensors is not stored: "), "{job:#}");
    let mut watch = Command::new(OPTLAB);
    watch.args(["watch", &id.to_string(), "--server", &house.server.address]);
    let watched = watch.output().unwrap();
    let said = String::from_utf8(watched.stderr).unwrap();
    assert_eq!(watched.status.code(), Some(1), "{said}");
    assert!(said.contains("weights.safetensors is not stored"), "{said}");
}

fn a_worker_with_crashing_runners_pauses_and_fails_no_job(database: Database) {
    let house = House::new(database);
    let bad = Worker::start(&house.url);
    // On a loaded machine, its first probe may take longer than the runners live.
    bad.wait_until_it_says("worker is ready");
    // A runner that is killed after half a second leaves no checkpoint, so no job completes there.
    let mut spec = long_experiment(2 * STEPS);
    spec["seeds"] = json!([0, 1, 2, 3, 4, 5, 6, 7]);
    let id = house.server.submit(&spec);
    let born: RefCell<HashMap<u32, Instant>> = RefCell::default();
    let kill_runners_of_bad = |jobs: &[Value]| {
        for pid in bad.runners() {
            if born.borrow_mut().entry(pid).or_insert_with(Instant::now).elapsed()
                > Duration::from_millis(500)
            {
                kill(pid);
            }
        }
        assert!(jobs.iter().all(|job| job["state"] != "failed"), "{jobs:#?}");
    };
    house.server.wait(id, "the bad worker rests", |jobs| {
        kill_runners_of_bad(jobs);
        // On a loaded machine, a runner may be killed before it begins, which also makes the slot rest.
        bad.said().contains("cpu rests for 15 s")
    });
    let _good = Worker::start(&house.url);
    house.server.wait(id, "all jobs have succeeded", |jobs| {
        kill_runners_of_bad(jobs);
        jobs.iter().all(|job| job["state"] == "succeeded")
    });
}

/// Waits until an attempt has ended, and checks that the job, the attempt and the worker report `words`. Returns the
/// attempt.
fn told(house: &House, id: i64, words: &str) -> Value {
    let has_ended = |jobs: &[Value]| jobs[0]["attempt"] != 0 && jobs[0]["state"] != "running";
    let job = house.server.wait(id, "an attempt has ended", has_ended).remove(0);
    assert!(job["why_queued"].as_str().is_some_and(|why| why.contains(words)), "{job:#}");
    let attempts = house.server.read(&format!("/api/v1/jobs/{}/attempts", job["id"]));
    let attempt = attempts["items"][0].clone();
    assert_eq!(attempt["end_reason"], "machine_fault", "{attempts:#}");
    assert!(attempt["error"].as_str().unwrap().contains(words), "{attempts:#}");
    let rests = |_: &[Value]| {
        let workers = house.server.read("/api/v1/workers");
        workers["items"][0]["trouble"].as_str().is_some_and(|trouble| trouble.contains(words))
    };
    house.server.wait(id, "the worker reports why it rests", rests);
    let jobs = house.command(&["jobs"]);
    assert!(jobs.contains(words), "{jobs}");
    attempt
}

fn a_machine_that_cannot_run_a_job_reports_why_and_leaves_it_to_another(database: Database) {
    let house = House::new(database);
    let one_slot = ["--slots-per-device", "1"];
    let bad = Worker::start_in(&[("TMPDIR", "/nonexistent")], &house.url, &one_slot);
    let id = house.server.submit(&small_experiment(1, &[0]));
    told(&house, id, "/nonexistent");
    bad.wait_until_it_says("cpu rests for 15 s: no folder for the job's files");
    let _good = Worker::start(&house.url);
    house.server.wait_for_success(id);
}

fn a_machine_without_the_data_set_names_the_damaged_file(database: Database) {
    let house = House::new(database);
    let cache = house.folder.path().join("cache");
    let file = cache.join("optlab/data/mnist/train-images-idx3-ubyte.gz");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "cut").unwrap();
    // An unreachable address, so that the test downloads nothing, even on a machine with a network.
    let nowhere = "http://127.0.0.1:9";
    let environment = [
        ("XDG_CACHE_HOME", cache.to_str().unwrap()),
        ("OPTLAB_DATA_DIR", ""),
        ("OPTLAB_DATA_MIRROR", nowhere),
        ("ALL_PROXY", nowhere),
        ("HTTPS_PROXY", nowhere),
        ("https_proxy", nowhere),
    ];
    let _worker = Worker::start_in(&environment, &house.url, &["--slots-per-device", "1"]);
    let mut spec = experiment();
    spec["train"]["data"] = json!({ "name": "mnist" });
    let id = house.server.submit(&spec);
    let attempt = told(&house, id, "could not be downloaded");
    assert!(attempt["error"].as_str().unwrap().contains(file.to_str().unwrap()), "{attempt:#}");
}

fn a_hung_runner_is_killed_and_its_job_resumes(database: Database) {
    let house = House::new(database);
    let hung_after = [("OPTLAB_HUNG_AFTER_SECONDS", "4")];
    let worker = Worker::start_in(&hung_after, &house.url, &["--slots-per-device", "1"]);
    let (id, _) = house.job_in_the_middle();
    worker.runners().into_iter().for_each(|pid| assert!(signal(pid, "STOP")));
    let doubted = |jobs: &[Value]| jobs[0]["trouble"].as_str().is_some_and(|it| it.contains("sent nothing"));
    house.server.wait(id, "the silence is noticed", doubted);
    house.server.wait(id, "the job is tried again", |jobs| jobs[0]["attempt"] == 2);
    let job = house.is_as_undisturbed(id);
    assert_eq!((&job["trouble"], &job["error"]), (&Value::Null, &Value::Null));
    let attempts = house.server.read(&format!("/api/v1/jobs/{}/attempts", job["id"]));
    let hung = &attempts["items"][0];
    assert_eq!(hung["end_reason"], "runner_crashed", "{attempts:#}");
    assert!(hung["error"].as_str().unwrap().contains("the runner hung"), "{attempts:#}");
}
