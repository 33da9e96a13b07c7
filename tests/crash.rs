//! Nothing acknowledged is lost when a process is killed.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use optlab_spec::protocol::VERSION;
use serde_json::{Value, json};
use support::processes::kill;
use support::waiting::turn;
use support::{Server, long_experiment, runner, small_experiment};
use tempfile::TempDir;

const STEPS: u64 = 3000;

fn step(jobs: &[Value]) -> i64 {
    jobs[0]["step"].as_i64().unwrap()
}

/// Checks that the curves have exactly the points of an undisturbed run.
fn curve_is_whole(server: &Server, job: &Value) {
    let steps =
        |series: &str| -> Vec<i64> { server.curve(job, series).into_iter().map(|(step, _)| step).collect() };
    assert_eq!(steps("train/loss"), (10..=STEPS as i64).step_by(10).collect::<Vec<_>>());
    assert_eq!(steps("test/accuracy"), (0..=STEPS as i64).step_by(500).collect::<Vec<_>>());
}

#[test]
fn a_killed_runner_is_replaced_and_its_job_is_retried() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "1"]);
    let id = server.submit(&long_experiment(STEPS));
    server.wait(id, "the job is in the middle", |jobs| step(jobs) > 200);
    let runners = server.runners();
    assert_eq!(runners.len(), 1);
    kill(runners[0]);
    assert_eq!(server.get("/healthz").status, 200, "the server still answers");
    let jobs = server.wait_for_success(id);
    assert_eq!(jobs[0]["attempt"], 2);
    curve_is_whole(&server, &jobs[0]);
}

#[test]
fn a_job_whose_runner_always_dies_fails_after_its_attempts() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "1"]);
    let mut spec = long_experiment(100_000);
    spec["max_attempts"] = json!(2);
    let id = server.submit(&spec);
    for attempt in 1..=2 {
        server.wait(id, "the attempt trains", |jobs| jobs[0]["attempt"] == attempt && step(jobs) > 0);
        server.runners().into_iter().for_each(kill);
    }
    let jobs = server.wait(id, "the job has failed", |jobs| jobs[0]["state"] == "failed");
    assert_eq!(jobs[0]["end_reason"], "runner_crashed");
    assert!(jobs[0]["error"].as_str().unwrap().contains("signal: 9"), "{:#}", jobs[0]);

    // A retry by hand has a fresh budget, and the job can be cancelled while it runs.
    let job = format!("/api/v1/jobs/{}", jobs[0]["id"]);
    assert_eq!(server.post(&format!("{job}/retry"), &json!({})).status, 200);
    server.wait(id, "the third attempt trains", |jobs| jobs[0]["attempt"] == 3 && step(jobs) > 0);
    assert_eq!(server.post(&format!("{job}/cancel"), &json!({})).status, 200);
    let jobs = server.wait(id, "the job is cancelled", |jobs| jobs[0]["state"] == "cancelled");
    assert_eq!(jobs[0]["end_reason"], "cancelled");
    assert_eq!(server.post(&format!("{job}/cancel"), &json!({})).status, 200, "cancelling is idempotent");
}

#[test]
fn a_killed_server_loses_nothing() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let long = server.submit(&long_experiment(STEPS));
    let small = server.submit(&small_experiment(2, &[0, 1]));
    let before = server.wait(long, "the job is in the middle", |jobs| step(jobs) > 200);
    let acknowledged = server.curve(&before[0], "train/loss");
    server.kill();

    // A server without slots writes nothing, so everything acknowledged must be in the database.
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let kept = server.curve(&before[0], "train/loss");
    assert!(kept.len() >= acknowledged.len(), "{} of {} points", kept.len(), acknowledged.len());
    assert_eq!(kept[..acknowledged.len()], acknowledged);
    server.kill();

    let server = Server::start(&folder);
    let jobs = server.wait_for_success(long);
    assert_eq!(jobs[0]["attempt"], 2);
    curve_is_whole(&server, &jobs[0]);
    assert_eq!(server.wait_for_success(small).len(), 6);
}

#[test]
fn a_stopping_server_hands_its_jobs_back() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let mut server = Server::start(&folder);
    let id = server.submit(&long_experiment(STEPS));
    server.wait(id, "the job is in the middle", |jobs| step(jobs) > 200);
    // An open page must not delay the server.
    let events = support::agent().get(format!("{}/api/v1/events", server.address)).call().unwrap();
    let told = std::process::Command::new("kill").arg(server.child.id().to_string()).status().unwrap();
    assert!(told.success());
    assert!(server.child.wait().unwrap().success());
    drop(events);

    let server = Server::start(&folder);
    let jobs = server.wait(id, "the job runs again at once", |jobs| jobs[0]["attempt"] == 2);
    assert!(jobs[0]["error"].is_null(), "{:#}", jobs[0]);
    curve_is_whole(&server, &server.wait_for_success(id)[0]);
}

#[test]
fn jobs_stay_queued_on_a_machine_whose_runners_do_not_start() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    // Reports that it can train, and dies when it gets a job.
    let path = folder.path().join("optlab-runner");
    let probe = json!({
        "protocol": VERSION, "libtorch": "2", "devices": [{ "device": "cpu", "name": "x" }], "threads": 1,
    });
    let script = format!(
        "#!/bin/sh\ncase $1 in --probe) echo '{probe}';; *) echo 'the driver is gone' >&2; exit 1;; esac\n"
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let server = Server::start_with(&folder, &["--workers", "1", "--runner", path.to_str().unwrap()]);
    let id = server.submit(&small_experiment(1, &[0]));
    let is_explained = |text: &Value| text.as_str().is_some_and(|text| text.contains("the driver is gone"));
    let tried =
        server.wait(id, "a job was tried", |jobs| jobs[0]["attempt"] == 1 && jobs[0]["state"] == "queued");
    assert!(tried.iter().all(|job| job["state"] == "queued"), "{tried:#?}");
    assert!(is_explained(&tried[0]["why_queued"]), "{tried:#?}");
    server.wait(id, "the worker reports why it rests", |_| {
        is_explained(&server.read("/api/v1/workers")["items"][0]["trouble"])
    });
}

#[test]
fn a_runner_that_lacks_memory_is_replaced_before_the_next_job() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("optlab-runner");
    let script = format!(
        "#!/bin/sh\ncase $1 in --probe) ;; *) ulimit -v 8000000; echo >>starts ;; esac\nexec {} \"$@\"\n",
        runner().display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let server = Server::start_with(&folder, &["--workers", "1", "--runner", program.to_str().unwrap()]);
    let too_large = server.submit(&json!({
        "name": "too-large", "max_attempts": 1,
        // A first activation of 16 GB.
        "train": {
            "steps": 1, "batch_size": 1_000_000, "model": { "kind": "mlp", "hidden": [4000] },
            "data": { "name": "synthetic", "shape": [1, 2, 2], "classes": 10, "samples": 1_000_000 },
        },
        "arms": [{ "name": "baseline", "method": { "kind": "baseline" } }],
    }));
    let next = server.submit(&small_experiment(1, &[0]));
    let failed = server.wait(too_large, "it has failed", |jobs| jobs[0]["state"] == "failed").remove(0);
    assert_eq!(failed["end_reason"], "out_of_memory", "{failed:#}");
    let jobs = server.wait_for_success(next).len();
    let starts = fs::read_to_string(folder.path().join("starts")).unwrap();
    assert_eq!(
        starts.lines().count(),
        2,
        "one runner for the job that failed, and one for the {jobs} others"
    );
}

#[test]
fn divergence_and_time_limits_are_reported_as_end_reasons() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let mut wild = long_experiment(STEPS);
    // Every step multiplies the weights by -10,000.
    wild["train"]["optimizer"] = json!({ "kind": "sgd", "learning_rate": 1000, "weight_decay": 10 });
    wild["arms"] = json!([{ "name": "baseline", "method": { "kind": "baseline" } }]);
    let mut slow = long_experiment(1_000_000);
    slow["time_limit_seconds"] = json!(2);
    let (wild, slow) = (server.submit(&wild), server.submit(&slow));
    let ended = |id| server.wait(id, "it has failed", |jobs| jobs[0]["state"] == "failed").remove(0);
    let (wild, slow) = (ended(wild), ended(slow));
    assert_eq!((&wild["end_reason"], &slow["end_reason"]), (&json!("diverged"), &json!("timed_out")));
    assert!(slow["error"].as_str().unwrap().contains("time_limit_seconds = 2"), "{slow:#}");
    let curves = server.curves(&wild);
    assert!(curves.iter().flat_map(|(_, points)| points).all(|(_, value)| value.is_finite()));
}
