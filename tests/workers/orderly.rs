//! Undisturbed workers: they train, pause, resume and stop.

use serde_json::{Value, json};

use super::fixture::{Fixture, experiment};
use super::support::processes::{Worker, signal};
use super::support::{Database, small_experiment};

pub fn a_worker_trains_what_a_server_queues(database: Database) {
    let fixture = Fixture::new(database);
    let id = fixture.server.submit(&small_experiment(1, &[0, 1]));
    let waiting = fixture.server.jobs(id).remove(0);
    assert!(waiting["why_queued"].as_str().unwrap().contains("no worker is active"), "{waiting:#}");
    let mut worker = Worker::start_with(&fixture.url, &["--exit-when-idle", "2"]);
    let jobs = fixture.server.wait_for_success(id);
    assert_eq!(jobs.len(), 6);
    let workers = fixture.server.read("/api/v1/workers");
    let devices = &workers["items"][0]["devices"];
    assert_eq!((&devices[0]["device"], &devices[1]), (&json!("cpu"), &Value::Null), "{devices:#}");
    assert!(!devices[0]["name"].as_str().unwrap().is_empty(), "{devices:#}");
    let bytes = |field: &str| devices[0][field].as_u64().unwrap();
    assert!(bytes("memory_used_bytes") < bytes("memory_bytes"), "{devices:#}");
    let kinds: Vec<_> = fixture.artifacts(&jobs[0]).iter().map(|artifact| artifact["kind"].clone()).collect();
    assert_eq!(kinds, ["environment", "log", "spec", "weights"]);
    let weights = format!("/api/v1/jobs/{}/artifacts/weights.safetensors", jobs[0]["id"]);
    let part = fixture.server.send("GET", &weights, &[("range", "bytes=8-8")], b"");
    // A safetensors file begins with the length of its header, and the header with a brace.
    assert_eq!((part.status, part.text.as_str()), (206, "{"));
    assert_eq!(fixture.server.send("GET", &weights, &[("range", "bytes=99999999-")], b"").status, 416);
    assert!(worker.ends_well(), "it ends when idle");
}

pub fn a_paused_job_resumes_with_the_same_bits(database: Database) {
    let fixture = Fixture::new(database);
    let _worker = Worker::start(&fixture.url);
    let (id, job) = fixture.job_in_the_middle();
    let ask = |action: &str| {
        fixture.server.post(&format!("/api/v1/jobs/{}/{action}", job["id"]), &json!({})).status
    };
    assert_eq!(ask("pause"), 200);
    let paused = fixture.server.wait(id, "it is paused", |jobs| jobs[0]["state"] == "paused").remove(0);
    let last = fixture.checkpoints(&job).iter().map(|checkpoint| checkpoint["step"].as_i64().unwrap()).max();
    assert_eq!(paused["step"].as_i64(), last, "no step is lost");
    assert_eq!((ask("pause"), ask("resume"), ask("resume")), (200, 200, 200));
    let job = fixture.is_as_undisturbed(id);
    assert_eq!(job["attempt"], 2);
    assert_eq!(ask("pause"), 409);
}

pub fn a_stopping_worker_hands_its_job_back(database: Database) {
    let fixture = Fixture::new(database);
    let mut worker = Worker::start(&fixture.url);
    let (id, _) = fixture.job_in_the_middle();
    assert!(signal(worker.child.id(), "TERM"));
    assert!(worker.ends_well());
    let job = fixture.server.jobs(id).remove(0);
    assert_eq!(job["state"], "queued", "{job:#}");
    let attempts = fixture.server.read(&format!("/api/v1/jobs/{}/attempts", job["id"]));
    assert_eq!(attempts["items"][0]["end_reason"], "handed_back", "{attempts:#}");
    let mut finishing = Worker::start_with(&fixture.url, &["--slots-per-device", "1", "--drain", "finish"]);
    fixture.server.wait(id, "it runs again", |jobs| jobs[0]["attempt"] == 2);
    let waiting = fixture.server.submit(&experiment());
    assert!(signal(finishing.child.id(), "TERM"));
    fixture.server.wait_for_success(id);
    assert!(finishing.ends_well());
    assert_eq!(fixture.server.jobs(waiting)[0]["attempt"], 0, "waiting jobs are left to others");
    fixture.is_as_undisturbed(id);
}
