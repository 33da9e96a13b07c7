//! Checkpoints and weights that are damaged, missing or cannot be stored.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::fixture::{Fixture, first_files};
use super::support::processes::{Worker, kill};
use super::support::{Database, OPTLAB, long_experiment};

pub fn a_damaged_checkpoint_is_skipped(database: Database) {
    let fixture = Fixture::new(database);
    let worker = Worker::start(&fixture.url);
    let (id, job) = fixture.job_in_the_middle();
    worker.runners().into_iter().for_each(kill);
    drop(worker);
    fixture.server.wait(id, "the lost job is queued again", |jobs| jobs[0]["state"] == "queued");
    let steps = || fixture.checkpoints(&job).iter().map(|c| c["step"].as_i64().unwrap()).collect::<Vec<_>>();
    let newest = steps().into_iter().max().unwrap();
    let path =
        fixture.folder.path().join(format!("files/jobs/{}/1/checkpoint-{newest}.safetensors", job["id"]));
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let worker = Worker::start(&fixture.url);
    worker.wait_until_it_says("is not what was stored");
    fixture.is_as_undisturbed(id);
}

pub fn checkpoints_that_reappear_leave_no_hole_in_the_curve(database: Database) {
    let fixture = Fixture::new(database);
    let worker = Worker::start(&fixture.url);
    let (id, job) = fixture.job_in_the_middle();
    assert_eq!(fixture.server.post(&format!("/api/v1/jobs/{}/pause", job["id"]), &json!({})).status, 200);
    fixture.server.wait(id, "it is paused", |jobs| jobs[0]["state"] == "paused");
    let (files, away) = (first_files(&fixture, &job), fixture.folder.path().join("away"));
    fs::rename(&files, &away).unwrap();
    assert_eq!(fixture.server.post(&format!("/api/v1/jobs/{}/resume", job["id"]), &json!({})).status, 200);
    fixture.server.wait(id, "it trains from the beginning", |jobs| {
        jobs[0]["attempt"] == 2 && (100..300).contains(&jobs[0]["step"].as_i64().unwrap())
    });
    worker.runners().into_iter().for_each(kill);
    fs::rename(&away, &files).unwrap();
    fixture.is_as_undisturbed(id);
}

pub fn a_job_waits_for_a_checkpoint_that_cannot_be_fetched(database: Database) {
    let fixture = Fixture::new(database);
    let worker = Worker::start(&fixture.url);
    let (id, job) = fixture.job_in_the_middle();
    drop(worker);
    fixture.server.wait(id, "the lost job is queued again", |jobs| jobs[0]["state"] == "queued");
    // A link to itself cannot be read, not even by root, and is not missing.
    let mut hidden = Vec::new();
    for checkpoint in fixture.checkpoints(&job) {
        let path = first_files(&fixture, &job).join(format!("checkpoint-{}.safetensors", checkpoint["step"]));
        let away = path.with_extension("away");
        fs::rename(&path, &away).unwrap();
        symlink(&path, &path).unwrap();
        hidden.push((path, away));
    }
    let worker = Worker::start(&fixture.url);
    worker.wait_until_it_says("cannot be fetched now");
    let waiting = fixture.server.wait(id, "it waits again", |jobs| jobs[0]["state"] == "queued").remove(0);
    assert!(waiting["step"].as_i64().unwrap() >= 250, "it has not started again: {waiting:#}");
    assert!(waiting["why_queued"].as_str().unwrap().contains("cannot be fetched now"), "{waiting:#}");
    drop(worker);
    for (path, away) in hidden {
        fs::remove_file(&path).unwrap();
        fs::rename(&away, &path).unwrap();
    }
    let _worker = Worker::start(&fixture.url);
    let job = fixture.is_as_undisturbed(id);
    let attempts = fixture.server.read(&format!("/api/v1/jobs/{}/attempts", job["id"]));
    let started_at = |attempt: &Value| attempt["start_step"].as_i64().unwrap();
    let last = attempts["items"].as_array().unwrap().last().map(started_at);
    assert!(last >= Some(250), "{attempts:#}");
}

/// A job whose weights cannot be stored, because a folder that is not empty has their path.
pub fn job_without_room_for_weights(fixture: &Fixture) -> (i64, PathBuf) {
    let id = fixture.server.submit(&long_experiment(100));
    let job = fixture.server.jobs(id).remove(0);
    let obstacle = first_files(fixture, &job).join("weights.safetensors");
    fs::create_dir_all(obstacle.join("full")).unwrap();
    (id, obstacle)
}

pub fn weights_that_cannot_be_stored_are_retried(database: Database) {
    let fixture = Fixture::new(database);
    let (id, obstacle) = job_without_room_for_weights(&fixture);
    let worker = Worker::start(&fixture.url);
    worker.wait_until_it_says("it is retried at the end of the run");
    fs::remove_dir_all(&obstacle).unwrap();
    let job = fixture.server.wait_for_success(id).remove(0);
    assert!(job["error"].is_null(), "{job:#}");
    assert!(fixture.artifacts(&job).iter().any(|artifact| artifact["kind"] == "weights"));
}

pub fn a_success_without_weights_is_reported(database: Database) {
    let fixture = Fixture::new(database);
    let (id, _) = job_without_room_for_weights(&fixture);
    let _worker = Worker::start(&fixture.url);
    let job = fixture.server.wait_for_success(id).remove(0);
    let error = job["error"].as_str().unwrap_or_default();
    assert!(error.starts_with("weights.safetensors is not stored: "), "{job:#}");
    let mut watch = Command::new(OPTLAB);
    watch.args(["watch", &id.to_string(), "--server", &fixture.server.address]);
    let watched = watch.output().unwrap();
    let said = String::from_utf8(watched.stderr).unwrap();
    assert_eq!(watched.status.code(), Some(1), "{said}");
    assert!(said.contains("weights.safetensors is not stored"), "{said}");
}
