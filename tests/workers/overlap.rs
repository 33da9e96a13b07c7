//! The next job trains while the last one is written down.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use super::files::job_without_room_for_weights;
use super::fixture::{Fixture, experiment};
use super::support::processes::{Worker, signal};
use super::support::{Database, long_experiment};

/// A worker whose slot trains the second job, while the weights of the first one cannot be stored yet.
struct Overlap {
    fixture: Fixture,
    worker: Worker,
    first: i64,
    second: i64,
    obstacle: PathBuf,
}

impl Overlap {
    fn new(database: Database) -> Self {
        let fixture = Fixture::new(database);
        let (first, obstacle) = job_without_room_for_weights(&fixture);
        let second = fixture.server.submit(&experiment());
        let worker = Worker::start(&fixture.url);
        fixture.server.wait(second, "the second job trains", |jobs| jobs[0]["step"].as_i64().unwrap() > 100);
        assert_eq!(fixture.server.jobs(first)[0]["state"], "running", "its weights are not stored");
        Self { fixture, worker, first, second, obstacle }
    }

    /// The first job succeeds with all its files, and the second one like an undisturbed one.
    fn ends_well(fixture: &Fixture, first: i64, second: i64) {
        let job = fixture.server.wait_for_success(first).remove(0);
        assert!(job["error"].is_null(), "{job:#}");
        assert!(fixture.artifacts(&job).iter().any(|artifact| artifact["kind"] == "weights"));
        fixture.is_as_undisturbed(second);
    }
}

pub fn the_next_job_trains_while_the_last_one_is_written_down(database: Database) {
    let fixture = Fixture::new(database);
    let (first, obstacle) = job_without_room_for_weights(&fixture);
    let [second, third] = [100, 100].map(|steps| fixture.server.submit(&long_experiment(steps)));
    let _worker = Worker::start(&fixture.url);
    fixture.server.wait(second, "the second job is trained", |jobs| jobs[0]["step"] == 100);
    // Longer than the leases of both.
    sleep(Duration::from_secs(3));
    let [states, attempts] = ["state", "attempt"]
        .map(|field| [first, second, third].map(|id| fixture.server.jobs(id)[0][field].clone()));
    assert_eq!(states, ["running", "running", "queued"], "only one is written down at a time");
    fs::remove_dir_all(&obstacle).unwrap();
    for id in [first, second, third] {
        let job = fixture.server.wait_for_success(id).remove(0);
        assert_eq!((job["attempt"].as_i64(), job["error"].as_str()), (Some(1), None), "{job:#}");
    }
    assert_eq!(attempts, [1, 1, 0], "both leases were renewed");
}

pub fn a_stopping_worker_hands_both_jobs_back(database: Database) {
    let Overlap { fixture, mut worker, first, second, obstacle } = Overlap::new(database);
    assert!(signal(worker.child.id(), "TERM"));
    assert!(worker.ends_well());
    for id in [first, second] {
        let job = fixture.server.jobs(id).remove(0);
        let attempts = fixture.server.read(&format!("/api/v1/jobs/{}/attempts", job["id"]));
        assert_eq!(attempts["items"][0]["end_reason"], "handed_back", "{attempts:#}");
    }
    fs::remove_dir_all(&obstacle).unwrap();
    let _worker = Worker::start(&fixture.url);
    Overlap::ends_well(&fixture, first, second);
}

pub fn a_killed_worker_loses_neither_job(database: Database) {
    let Overlap { fixture, worker, first, second, obstacle } = Overlap::new(database);
    drop(worker);
    fs::remove_dir_all(&obstacle).unwrap();
    let _worker = Worker::start(&fixture.url);
    Overlap::ends_well(&fixture, first, second);
    for id in [first, second] {
        assert_eq!(fixture.server.jobs(id)[0]["attempt"], 2);
    }
}

pub fn a_worker_leaves_after_the_last_file_is_stored(database: Database) {
    let fixture = Fixture::new(database);
    let args: [&[&str]; 2] = [&["--exit-when-idle", "1"], &["--drain", "finish"]];
    for (args, stops) in args.into_iter().zip([false, true]) {
        let (id, obstacle) = job_without_room_for_weights(&fixture);
        let mut worker = Worker::start_with(&fixture.url, &[&["--slots-per-device", "1"], args].concat());
        worker.wait_until_it_says("it is retried at the end of the run");
        assert!(!stops || signal(worker.child.id(), "TERM"));
        sleep(Duration::from_secs(3));
        assert!(worker.child.try_wait().unwrap().is_none(), "it waits for the file");
        fs::remove_dir_all(&obstacle).unwrap();
        assert!(worker.ends_well());
        let job = fixture.server.jobs(id).remove(0);
        assert_eq!((job["state"].as_str(), job["error"].as_str()), (Some("succeeded"), None), "{job:#}");
    }
}
