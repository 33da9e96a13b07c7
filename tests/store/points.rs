//! Points of curves as attempts write them.

use optlab_spec::protocol::Point;
use serde_json::json;

use crate::fixture::{Fixture, LEASE_MS, crashed, point};

pub async fn recording_renews_the_lease_and_is_idempotent(fixture: Fixture) {
    fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    for _ in 0..5 {
        fixture.clock.advance(LEASE_MS - 1);
        fixture.record(lease, &[1, 2]).await.unwrap();
    }
    assert!(fixture.store.reap().await.unwrap().is_empty());
    assert_eq!(fixture.steps(lease.job).await, [1, 2]);
}

pub async fn a_batch_of_points_is_atomic(fixture: Fixture) {
    fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    // The column rejects this value, and the valid point before it must not be stored.
    let result = fixture.store.record(lease, &[point(1, 1.0), point(2, f64::NAN)], Some(2), LEASE_MS).await;
    assert!(result.is_err());
    assert!(fixture.steps(lease.job).await.is_empty());
    assert_eq!(fixture.job(lease.job).await.record.step, 0);
}

pub async fn the_last_value_of_a_repeated_point_is_kept(fixture: Fixture) {
    fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    let batch = [point(1, 1.0), point(2, 5.0), point(1, 2.0), point(1, 3.0)];
    fixture.store.record(lease, &batch, None, LEASE_MS).await.unwrap();
    fixture.store.record(lease, &[point(2, 4.0)], None, LEASE_MS).await.unwrap();
    let curve = fixture.curve(lease.job, "train/loss").await;
    assert_eq!(curve.iter().map(|point| (point.step, point.value)).collect::<Vec<_>>(), [(1, 3.0), (2, 4.0)]);
}

pub async fn a_resuming_attempt_deletes_only_later_points(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let old = fixture.claim().await.unwrap();
    fixture.start(old, 0).await;
    fixture.record(old, &[0, 10, 20, 30]).await.unwrap();
    let accuracy = Point { series: "test/accuracy".to_owned(), ..point(25, 90.0) };
    fixture.store.record(old, &[accuracy], None, LEASE_MS).await.unwrap();
    fixture.end(old, crashed()).await;
    fixture.clock.advance(1_000);
    let new = fixture.claim().await.unwrap();
    fixture.start(new, 20).await;
    assert_eq!(fixture.steps(id).await, [0, 10, 20]);
    assert!(fixture.curve(id, "test/accuracy").await.is_empty());
    assert_eq!(fixture.job(id).await.record.step, 20);
}
