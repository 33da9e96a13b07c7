//! Deletion of experiments.

use optlab::store::{Edit, Submission};
use optlab_domain::{Action, ExperimentId, JobState};
use optlab_spec::protocol::Point;
use serde_json::json;

use crate::fixture::{
    Fixture, LEASE_MS, checkpoint, crashed, environment, finished, is_conflict, is_lost, is_not_found, point,
    spec,
};

/// Enough points for levels of detail.
const POINTS: u64 = 3_000;

/// Rows of experiments, in every table that has some.
const ROWS: &str = "SELECT (SELECT count(*) FROM experiments) + (SELECT count(*) FROM submissions)
    + (SELECT count(*) FROM jobs) + (SELECT count(*) FROM attempts) + (SELECT count(*) FROM artifacts)
    + (SELECT count(*) FROM results) + (SELECT count(*) FROM metric_points)
    + (SELECT count(*) FROM condensed_curves) + (SELECT count(*) FROM curve_blocks)";
const SUMMARIES: &str = "SELECT (SELECT count(*) FROM job_summary) + (SELECT count(*) FROM arm_summary)
    + (SELECT count(*) FROM curves) + (SELECT count(*) FROM failures)";

/// An experiment named `name` with rows in every table, all of whose jobs have ended.
async fn ended(fixture: &Fixture, name: &str) -> ExperimentId {
    let spec = spec(json!({ "name": name, "train": { "steps": POINTS } }));
    let submission =
        Submission { text: Some("{}"), idempotency: Some((name, "body")), ..Submission::of(&spec) };
    let id = fixture.store.submit(submission).await.unwrap();
    let lease = fixture.claim().await.unwrap();
    fixture.start(lease, 0).await;
    let loss: Vec<Point> = (1..=POINTS).map(|step| point(step, 1.0 / step as f64)).collect();
    fixture.store.record(lease, &loss, Some(POINTS), LEASE_MS).await.unwrap();
    fixture.store.add_artifact(lease, &checkpoint(lease, 5)).await.unwrap();
    fixture.end(lease, finished()).await;
    let lease = fixture.claim().await.unwrap();
    fixture.end(lease, crashed()).await;
    fixture.store.act_on_experiment(id, Action::Cancel).await.unwrap();
    id
}

pub async fn a_deleted_experiment_leaves_no_row_and_others_keep_theirs(fixture: Fixture) {
    let kept = ended(&fixture, "kept").await;
    let (rows, summaries) = (fixture.count(ROWS).await, fixture.count(SUMMARIES).await);
    assert!(fixture.count("SELECT count(*) FROM curve_blocks").await > 0);
    let id = ended(&fixture, "gone").await;
    let job = fixture.jobs(id).await[0].record.id;
    assert_eq!((fixture.count(ROWS).await, fixture.count(SUMMARIES).await), (2 * rows, 2 * summaries));
    assert!(!fixture.store.was_deleted(job).await.unwrap());
    fixture.store.delete_experiment(id, "gone").await.unwrap();
    assert_eq!((fixture.count(ROWS).await, fixture.count(SUMMARIES).await), (rows, summaries));
    assert_eq!(fixture.jobs(kept).await.len(), 3);
    assert!(fixture.store.was_deleted(job).await.unwrap());
    is_not_found(fixture.store.experiment(id).await);
    is_not_found(fixture.store.delete_experiment(id, "gone").await);
    // Its key can be used again, and its ids are not.
    let again = ended(&fixture, "gone").await;
    assert!(again > id && fixture.jobs(again).await[0].record.id > job);
}

pub async fn an_experiment_is_deleted_only_by_its_name_and_when_no_job_runs(fixture: Fixture) {
    let id = fixture.submit(json!({ "name": "mine" })).await;
    let lease = fixture.claim().await.unwrap();
    for name in ["other", "Mine", ""] {
        is_conflict(fixture.store.delete_experiment(id, name).await);
    }
    let refused = fixture.store.delete_experiment(id, "mine").await.unwrap_err().to_string();
    assert_eq!(
        refused,
        format!("experiment {id} has 1 running job; cancel it and wait until no job runs, then delete it")
    );
    // A request to cancel is not enough: its worker may still write.
    fixture.store.act_on_experiment(id, Action::Cancel).await.unwrap();
    is_conflict(fixture.store.delete_experiment(id, "mine").await);
    assert_eq!(fixture.jobs(id).await.len(), 3);
    fixture.end(lease, crashed()).await;
    let renamed = Edit { name: Some("yours".to_owned()), ..Edit::default() };
    fixture.store.edit_experiment(id, renamed).await.unwrap();
    is_conflict(fixture.store.delete_experiment(id, "mine").await);
    fixture.store.delete_experiment(id, "yours").await.unwrap();
    is_not_found(fixture.store.delete_experiment(ExperimentId::from(99), "mine").await);
}

pub async fn a_lost_worker_writes_nothing_to_a_deleted_job(fixture: Fixture) {
    let id = fixture.submit(json!({ "name": "mine" })).await;
    let lease = fixture.claim().await.unwrap();
    fixture.start(lease, 0).await;
    // Its lease expires, and someone cancels the requeued job.
    fixture.clock.advance(2 * LEASE_MS);
    fixture.store.reap().await.unwrap();
    fixture.clock.advance(2 * LEASE_MS);
    fixture.store.reap().await.unwrap();
    assert_eq!(fixture.state(lease.job).await, JobState::Queued);
    fixture.store.delete_experiment(id, "mine").await.unwrap();
    let store = &fixture.store;
    is_lost(fixture.record(lease, &[1]).await);
    is_lost(store.start(lease, &environment(), 0, 1).await);
    is_lost(store.remark(lease, Some("slow")).await);
    is_lost(store.add_artifact(lease, &checkpoint(lease, 5)).await);
    is_lost(store.end(lease, finished()).await);
    assert_eq!(fixture.count(ROWS).await, 0);
    assert!(fixture.claim().await.is_none());
}

pub async fn versions_keep_growing_after_the_newest_job_is_deleted(fixture: Fixture) {
    let id = fixture.submit(json!({ "name": "mine" })).await;
    let newest = fixture.jobs(id).await[2].version;
    fixture.store.delete_experiment(id, "mine").await.unwrap();
    let next = fixture.submit(json!({})).await;
    let version = fixture.jobs(next).await[0].version;
    assert!(version > newest + 1, "{version} follows the deletion, which follows {newest}");
    // Postgres reports a deletion once no earlier transaction of its server is open.
    let mut patience = crate::support::waiting::Patience::until("the deletion is reported");
    let deletions = loop {
        let deletions = fixture.store.deleted_since(newest).await.unwrap();
        if !deletions.is_empty() {
            break deletions;
        }
        patience.again(());
    };
    let [(deleted, at)] = deletions[..] else { panic!("{deletions:?}") };
    assert!(deleted == id && at > newest && at < version, "{at}");
    assert!(fixture.store.deleted_since(at).await.unwrap().is_empty());
}

pub async fn an_export_detects_that_its_experiment_was_deleted(fixture: Fixture) {
    let id = ended(&fixture, "mine").await;
    let (_, jobs) = fixture.store.records(id).await.unwrap();
    fixture.store.delete_experiment(id, "mine").await.unwrap();
    is_not_found(fixture.store.points(&jobs[0], "train/loss", -1, 10).await);
}
