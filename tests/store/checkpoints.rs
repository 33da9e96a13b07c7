//! Artifacts, and the step from which the next attempt resumes.

use optlab::store::{Artifact, AttemptEnd, StoreError};
use optlab_domain::{Action, ArtifactKind, EndReason, JobId, JobState, Lease};
use serde_json::json;

use crate::fixture::{
    Fixture, LEASE_MS, STEPS, checkpoint, crashed, environment, failed, finished, is_lost, is_not_found,
};

/// Names of all obsolete checkpoints.
async fn obsolete(fixture: &Fixture) -> Vec<String> {
    let obsolete = fixture.store.obsolete_checkpoints(100).await.unwrap();
    obsolete.into_iter().map(|(_, artifact)| artifact.name).collect()
}

async fn add(fixture: &Fixture, lease: Lease, steps: &[i64]) {
    for &step in steps {
        fixture.store.add_artifact(lease, &checkpoint(lease, step)).await.unwrap();
    }
}

pub async fn a_claim_returns_checkpoints_latest_first(fixture: Fixture) {
    fixture.one_job(json!({})).await;
    let first = fixture.claim_whole().await.unwrap();
    assert!(first.checkpoints.is_empty());
    add(&fixture, first.lease, &[5, 20, 100]).await;
    let log = Artifact { name: "log".to_owned(), kind: ArtifactKind::Log, ..checkpoint(first.lease, 7) };
    fixture.store.add_artifact(first.lease, &log).await.unwrap();
    fixture.end(first.lease, AttemptEnd::HandedBack).await;
    // The second attempt found the last checkpoint damaged and resumed from 20; it writes one of the same step.
    let second = fixture.claim_whole().await.unwrap();
    let again = Artifact { name: "again".to_owned(), ..checkpoint(second.lease, 100) };
    fixture.store.add_artifact(second.lease, &again).await.unwrap();
    fixture.end(second.lease, AttemptEnd::HandedBack).await;
    let third = fixture.claim_whole().await.unwrap();
    let of_first = |step| checkpoint(first.lease, step);
    assert_eq!(third.checkpoints, [again, of_first(100), of_first(20), of_first(5)]);
}

pub async fn a_lost_worker_cannot_add_files(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let old = fixture.claim().await.unwrap();
    fixture.clock.advance(LEASE_MS + 1);
    fixture.store.reap().await.unwrap();
    is_lost(fixture.store.add_artifact(old, &checkpoint(old, 1)).await);
    let new = fixture.claim().await.unwrap();
    is_lost(fixture.store.add_artifact(old, &checkpoint(old, 1)).await);
    add(&fixture, new, &[1]).await;
    assert_eq!(fixture.store.artifacts(id).await.unwrap(), [checkpoint(new, 1)]);
    is_not_found(fixture.store.artifacts(JobId::from(99)).await);
}

pub async fn a_queued_job_is_at_the_step_of_its_last_checkpoint(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let step = async || fixture.job(id).await.record.step;
    let lease = fixture.claim().await.unwrap();
    fixture.record(lease, &[30]).await.unwrap();
    fixture.end(lease, AttemptEnd::HandedBack).await;
    assert_eq!(step().await, 0, "without a checkpoint it starts again");
    let lease = fixture.claim().await.unwrap();
    add(&fixture, lease, &[9, 10]).await;
    fixture.record(lease, &[30]).await.unwrap();
    assert_eq!(step().await, 30);
    fixture.clock.advance(LEASE_MS + 1);
    fixture.store.reap().await.unwrap();
    assert_eq!(step().await, 10);
    let lease = fixture.claim().await.unwrap();
    fixture.record(lease, &[40]).await.unwrap();
    assert_eq!(fixture.end(lease, failed(EndReason::Diverged)).await, JobState::Failed);
    assert_eq!(step().await, 40, "an ended job stays at its last step");
    fixture.store.act_on_job(id, Action::Retry).await.unwrap();
    assert_eq!(step().await, 10);
}

pub async fn the_last_two_checkpoints_are_kept_until_the_job_succeeds(fixture: Fixture) {
    fixture.submit(json!({})).await;
    let (one, two) = (fixture.claim().await.unwrap(), fixture.claim().await.unwrap());
    add(&fixture, one, &[100, 9, 20, 30]).await;
    add(&fixture, two, &[1, 2]).await;
    let weights = Artifact { name: "weights".to_owned(), kind: ArtifactKind::Weights, ..checkpoint(two, 3) };
    fixture.store.add_artifact(two, &weights).await.unwrap();
    assert_eq!(obsolete(&fixture).await, ["checkpoint-9", "checkpoint-20"]);
    assert_eq!(fixture.store.obsolete_checkpoints(1).await.unwrap(), [(one.job, checkpoint(one, 9))]);
    fixture.end(two, finished()).await;
    let all = ["checkpoint-9", "checkpoint-20", "checkpoint-1", "checkpoint-2"];
    assert_eq!(obsolete(&fixture).await, all, "the weights are kept");
}

pub async fn an_attempt_deletes_checkpoints_after_its_start(fixture: Fixture) {
    let id = fixture.one_job(json!({ "max_attempts": 9 })).await;
    let first = fixture.claim().await.unwrap();
    fixture.start(first, 0).await;
    add(&fixture, first, &[10, 20, 30]).await;
    fixture.end(first, AttemptEnd::HandedBack).await;
    let second = fixture.claim().await.unwrap();
    let forgotten = fixture.store.start(second, &environment(), 20, STEPS).await.unwrap();
    assert_eq!(forgotten, [checkpoint(first, 30)]);
    let again = fixture.store.start(second, &environment(), 20, STEPS).await.unwrap();
    assert!(again.is_empty(), "a repeated start changes nothing");
    fixture.end(second, crashed()).await;
    assert_eq!(fixture.job(id).await.record.step, 20);
    fixture.clock.advance(300_000);
    // Its checkpoints cannot be read for a while, so this attempt starts at the beginning.
    let third = fixture.claim().await.unwrap();
    fixture.start(third, 0).await;
    fixture.end(third, crashed()).await;
    assert_eq!(fixture.job(id).await.record.step, 0);
    fixture.clock.advance(300_000);
    assert!(fixture.claim_whole().await.unwrap().checkpoints.is_empty());
}

pub async fn a_file_s_row_is_deleted_only_if_unchanged(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    add(&fixture, lease, &[1, 2]).await;
    // Another attempt may have written a file of the same name elsewhere.
    let seen = Artifact { path: "elsewhere".to_owned(), ..checkpoint(lease, 1) };
    fixture.store.forget_artifact(id, &seen).await.unwrap();
    assert_eq!(fixture.store.artifacts(id).await.unwrap().len(), 2);
    fixture.store.forget_artifact(id, &checkpoint(lease, 1)).await.unwrap();
    assert_eq!(fixture.store.artifacts(id).await.unwrap(), [checkpoint(lease, 2)]);
}

pub async fn only_the_running_attempt_forgets_its_checkpoint(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let first = fixture.claim().await.unwrap();
    add(&fixture, first, &[1]).await;
    fixture.end(first, crashed()).await;
    fixture.clock.advance(300_000);
    let second = fixture.claim().await.unwrap();
    let late = fixture.store.forget_unusable(first, &checkpoint(first, 1)).await;
    assert!(matches!(late, Err(StoreError::LeaseLost(_))), "{late:?}");
    assert_eq!(fixture.store.artifacts(id).await.unwrap().len(), 1);
    fixture.store.forget_unusable(second, &checkpoint(first, 1)).await.unwrap();
    assert!(fixture.store.artifacts(id).await.unwrap().is_empty());
}
