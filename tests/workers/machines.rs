//! Machines on which jobs cannot run.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::fixture::{Fixture, STEPS, experiment};
use super::support::processes::{Worker, kill_if_there};
use super::support::{Database, long_experiment, small_experiment};

pub fn a_worker_with_crashing_runners_pauses_and_fails_no_job(database: Database) {
    let fixture = Fixture::new(database);
    let bad = Worker::start(&fixture.url);
    // On a loaded machine, its first probe may take longer than the runners live.
    bad.wait_until_it_says("worker is ready");
    // A runner that is killed after half a second leaves no checkpoint, so no job completes there.
    let mut spec = long_experiment(2 * STEPS);
    spec["seeds"] = json!([0, 1, 2, 3]);
    let id = fixture.server.submit(&spec);
    let born: RefCell<HashMap<u32, Instant>> = RefCell::default();
    let kill_runners_of_bad = |jobs: &[Value]| {
        for pid in bad.runners() {
            if born.borrow_mut().entry(pid).or_insert_with(Instant::now).elapsed()
                > Duration::from_millis(500)
            {
                kill_if_there(pid);
            }
        }
        assert!(jobs.iter().all(|job| job["state"] != "failed"), "{jobs:#?}");
    };
    fixture.server.wait(id, "the bad worker rests", |jobs| {
        kill_runners_of_bad(jobs);
        // On a loaded machine, a runner may be killed before it begins, which also makes the slot rest.
        bad.said().contains("cpu rests for 15 s")
    });
    let _good = Worker::start(&fixture.url);
    fixture.server.wait(id, "all jobs have succeeded", |jobs| {
        kill_runners_of_bad(jobs);
        jobs.iter().all(|job| job["state"] == "succeeded")
    });
}

/// Waits until an attempt has ended, and checks that the job, the attempt and the worker report `words`; returns the
/// attempt.
fn attempt_of_faulty_machine(fixture: &Fixture, id: i64, words: &str) -> Value {
    let has_ended = |jobs: &[Value]| jobs[0]["attempt"] != 0 && jobs[0]["state"] != "running";
    let job = fixture.server.wait(id, "an attempt has ended", has_ended).remove(0);
    assert!(job["why_queued"].as_str().is_some_and(|why| why.contains(words)), "{job:#}");
    let attempts = fixture.server.read(&format!("/api/v1/jobs/{}/attempts", job["id"]));
    let attempt = attempts["items"][0].clone();
    assert_eq!(attempt["end_reason"], "machine_fault", "{attempts:#}");
    assert!(attempt["error"].as_str().unwrap().contains(words), "{attempts:#}");
    let rests = |_: &[Value]| {
        let workers = fixture.server.read("/api/v1/workers");
        workers["items"][0]["trouble"].as_str().is_some_and(|trouble| trouble.contains(words))
    };
    fixture.server.wait(id, "the worker reports why it rests", rests);
    let jobs = fixture.command(&["jobs"]);
    assert!(jobs.contains(words), "{jobs}");
    attempt
}

pub fn a_machine_that_cannot_run_a_job_reports_why_and_leaves_it_to_another(database: Database) {
    let fixture = Fixture::new(database);
    let one_slot = ["--slots-per-device", "1"];
    let bad = Worker::start_in(&[("TMPDIR", "/nonexistent")], &fixture.url, &one_slot);
    let id = fixture.server.submit(&small_experiment(1, &[0]));
    attempt_of_faulty_machine(&fixture, id, "/nonexistent");
    bad.wait_until_it_says("cpu rests for 15 s: no folder for the job's files");
    let _good = Worker::start(&fixture.url);
    fixture.server.wait_for_success(id);
}

pub fn a_worker_whose_runner_does_not_start_drains_and_ends_when_idle(database: Database) {
    let fixture = Fixture::new(database);
    let no_runner = ["--runner", "/nonexistent/optlab-runner"];
    let mut drained = Worker::start_with(&fixture.url, &no_runner);
    drained.wait_until_it_says("/nonexistent/optlab-runner does not exist");
    let id = fixture.server.read("/api/v1/workers")["items"][0]["id"].clone();
    let answer = fixture.server.post(&format!("/api/v1/workers/{id}/drain"), &json!({}));
    assert_eq!(answer.status, 204, "{answer:?}");
    assert!(drained.ends_well());
    let mut idle = Worker::start_with(&fixture.url, &[&no_runner[..], &["--exit-when-idle", "1"]].concat());
    assert!(idle.ends_well());
}

pub fn a_worker_ends_if_no_server_sets_up_its_database(database: Database) {
    let folder = TempDir::new().unwrap();
    let url = database.create(&folder);
    if let Database::Sqlite = database {
        // A worker rejects a file that does not exist; this one has not been set up.
        std::fs::File::create(folder.path().join("optlab.db")).unwrap();
    }
    let mut worker = Worker::start_with(&url, &["--exit-when-idle", "2"]);
    assert!(!worker.ends_well());
    worker.wait_until_it_says("within 10 s, as the log says");
}

pub fn a_machine_without_the_data_set_names_the_damaged_file_and_trains_others(database: Database) {
    let fixture = Fixture::new(database);
    let cache = fixture.folder.path().join("cache");
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
    let _worker = Worker::start_in(&environment, &fixture.url, &["--slots-per-device", "1"]);
    let mut spec = experiment();
    spec["train"]["data"] = json!({ "name": "mnist" });
    let id = fixture.server.submit(&spec);
    let attempt = attempt_of_faulty_machine(&fixture, id, "could not be downloaded");
    assert!(attempt["error"].as_str().unwrap().contains(file.to_str().unwrap()), "{attempt:#}");
    // The only slot trains what it has the data of.
    fixture.server.wait_for_success(fixture.server.submit(&small_experiment(1, &[0])));
    fixture.server.wait(id, "the other job waits", |jobs| jobs[0]["state"] == "queued");
}
