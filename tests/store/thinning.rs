//! Thinning of old curves.

use optlab::store::Thinned;
use optlab_domain::{Action, ExperimentId, Lease};
use optlab_spec::protocol::Point;
use serde_json::json;

use crate::fixture::{Fixture, LEASE_MS, checkpoint, crashed, finished, is_not_found, point};

/// A curve from step 0 to 20 with a lowest and a highest value inside.
async fn train(fixture: &Fixture, lowest: u64, highest: u64) -> Lease {
    let lease = fixture.claim().await.unwrap();
    let value = |step| match step {
        step if step == lowest => -1.0,
        step if step == highest => 100.0,
        step => step as f64,
    };
    let mut points: Vec<Point> = (0..=20).map(|step| point(step, value(step))).collect();
    points.extend([0, 9].map(|step| Point { series: "test/accuracy".to_owned(), ..point(step, 50.0) }));
    fixture.store.record(lease, &points, Some(20), LEASE_MS).await.unwrap();
    lease
}

pub async fn thinning_keeps_every_nth_step_and_the_extremes(fixture: Fixture) {
    let arms = json!([{ "name": "baseline", "method": { "kind": "baseline" } }]);
    let experiment = fixture.submit(json!({ "arms": arms, "seeds": [0, 1, 2] })).await;
    let other = fixture.submit(json!({ "arms": arms, "seeds": [0] })).await;
    let first = train(&fixture, 7, 13).await;
    let second = train(&fixture, 11, 3).await;
    let running = train(&fixture, 1, 2).await;
    let elsewhere = train(&fixture, 1, 2).await;
    for lease in [first, second, elsewhere] {
        fixture.end(lease, finished()).await;
    }
    let store = &fixture.store;
    let whole: Vec<i64> = (0..=20).collect();
    let kept = [0, 3, 5, 7, 10, 11, 13, 15, 20];
    let expected = Thinned { jobs: 2, points: 2 * (21 + 2), deleted: 2 * (21 - kept.len() as i64) };
    assert_eq!(store.would_thin(experiment, 5).await.unwrap(), expected);
    assert_eq!(fixture.steps(first.job).await, whole);

    assert_eq!(store.thin(experiment, 5).await.unwrap(), expected);
    // All seeds have the same steps, so every mean is over all seeds.
    assert_eq!(fixture.steps(first.job).await, kept);
    assert_eq!(fixture.steps(second.job).await, kept);
    let accuracy = fixture.curve(first.job, "test/accuracy").await;
    assert_eq!(accuracy.iter().map(|point| point.step).collect::<Vec<_>>(), [0, 9]);
    for untouched in [running, elsewhere] {
        assert_eq!(fixture.steps(untouched.job).await, whole);
    }
    assert_eq!(store.would_thin(other, 21).await.unwrap().deleted, 21 - 4);
    is_not_found(store.would_thin(ExperimentId::from(99), 5).await);
    is_not_found(store.thin(ExperimentId::from(99), 5).await);
}

pub async fn a_retried_thinned_job_starts_from_the_beginning(fixture: Fixture) {
    let id = fixture.one_job(json!({ "max_attempts": 1 })).await;
    let lease = train(&fixture, 7, 13).await;
    fixture.store.add_artifact(lease, &checkpoint(lease, 20)).await.unwrap();
    fixture.end(lease, crashed()).await;
    let experiment = fixture.job(id).await.record.experiment_id;
    fixture.store.thin(experiment, 5).await.unwrap();
    fixture.store.act_on_job(id, Action::Retry).await.unwrap();
    assert_eq!(fixture.job(id).await.record.step, 0);
    assert!(fixture.claim_whole().await.unwrap().checkpoints.is_empty());
}
