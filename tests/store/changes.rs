//! Notifications and versions of writes.

use serde_json::json;

use crate::fixture::Fixture;
use crate::support::waiting::STUCK;

pub async fn every_write_to_a_job_raises_its_version(fixture: Fixture) {
    let before = fixture.store.version().await.unwrap();
    fixture.submit(json!({})).await;
    let jobs = fixture.jobs_since(before, 1).await;
    assert_eq!(jobs.len(), 3, "jobs of one write are returned together, whatever the limit");
    let after = fixture.store.version().await.unwrap();
    assert!(after >= jobs[2].version);
    assert!(fixture.store.jobs_since(after, 10).await.unwrap().is_empty());
    let lease = fixture.claim().await.unwrap();
    let changed = fixture.jobs_since(after, 10).await;
    assert_eq!(changed.iter().map(|job| job.record.id).collect::<Vec<_>>(), [lease.job]);
}

pub async fn writes_notify_waiting_tasks(fixture: Fixture) {
    let mut changes = fixture.store.changes();
    let seen = *changes.borrow_and_update();
    fixture.submit(json!({})).await;
    let woken = changes.wait_for(|changes| *changes > seen);
    tokio::time::timeout(STUCK, woken).await.expect("woken").unwrap();
}
