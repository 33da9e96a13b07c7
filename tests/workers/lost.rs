//! Workers and runners that die or freeze.

use serde_json::Value;

use super::fixture::Fixture;
use super::support::Database;
use super::support::processes::{Worker, signal};

pub fn the_job_of_a_killed_worker_resumes_from_its_checkpoint(database: Database) {
    let fixture = Fixture::new(database);
    let worker = Worker::start(&fixture.url);
    let (id, _) = fixture.job_in_the_middle();
    drop(worker);
    let queued = |jobs: &[Value]| jobs[0]["state"] == "queued";
    let job = fixture.server.wait(id, "the lost job is queued again", queued).remove(0);
    assert!(job["step"].as_i64().unwrap() >= 250, "it is at its last checkpoint: {job:#}");
    let _worker = Worker::start(&fixture.url);
    let job = fixture.is_as_undisturbed(id);
    assert_eq!(job["attempt"], 2);
    fixture.server.wait(id, "its checkpoints are gone", |_| fixture.checkpoints(&job).is_empty());
}

pub fn a_frozen_worker_that_wakes_up_writes_nothing(database: Database) {
    let fixture = Fixture::new(database);
    let worker = Worker::start(&fixture.url);
    let (id, _) = fixture.job_in_the_middle();
    // SQLite has one writer: frozen inside a transaction, it blocks all others, which wait and report it.
    while {
        assert!(signal(worker.child.id(), "STOP"));
        fixture
            .server
            .send("PATCH", &format!("/api/v1/experiments/{id}"), &[], br#"{"notes": "frozen"}"#)
            .status
    } == 503
    {
        assert!(signal(worker.child.id(), "CONT"));
    }
    let other = Worker::start(&fixture.url);
    fixture.server.wait(id, "another worker has the job", |jobs| jobs[0]["attempt"] == 2);
    assert!(signal(worker.child.id(), "CONT"));
    // Its lease is lost or, where it was stopped within a transaction for long, its writes have failed until then.
    worker.wait_until_it_says("the attempt is abandoned");
    drop(other);
    assert!(fixture.is_as_undisturbed(id)["attempt"].as_i64().unwrap() >= 2);
}

pub fn a_hung_runner_is_killed_and_its_job_resumes(database: Database) {
    let fixture = Fixture::new(database);
    let hung_after = [("OPTLAB_HUNG_AFTER_SECONDS", "4")];
    let worker = Worker::start_in(&hung_after, &fixture.url, &["--slots-per-device", "1"]);
    let (id, _) = fixture.job_in_the_middle();
    worker.runners().into_iter().for_each(|pid| assert!(signal(pid, "STOP")));
    let doubted = |jobs: &[Value]| jobs[0]["trouble"].as_str().is_some_and(|it| it.contains("sent nothing"));
    fixture.server.wait(id, "the silence is noticed", doubted);
    fixture.server.wait(id, "the job is tried again", |jobs| jobs[0]["attempt"] == 2);
    let job = fixture.is_as_undisturbed(id);
    assert_eq!((&job["trouble"], &job["error"]), (&Value::Null, &Value::Null));
    let attempts = fixture.server.read(&format!("/api/v1/jobs/{}/attempts", job["id"]));
    let hung = &attempts["items"][0];
    assert_eq!(hung["end_reason"], "runner_crashed", "{attempts:#}");
    assert!(hung["error"].as_str().unwrap().contains("the runner hung"), "{attempts:#}");
}
