//! Figures for monitoring.

use optlab::store::AttemptEnd;
use optlab_domain::{Action, Counts, EndReason};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::json;

use crate::fixture::{Fixture, LEASE_MS, crashed, finished};

pub async fn the_census_counts_jobs_by_state_and_attempts_by_end(fixture: Fixture) {
    let store = &fixture.store;
    for _ in 0..5 {
        fixture.one_job(json!({})).await;
    }
    let waiting = store.census().await.unwrap();
    assert_eq!((waiting.jobs, waiting.attempts_ended.len()), (Counts { queued: 5, ..Counts::default() }, 0));
    let [finishing, crashing, _lost] = [fixture.claim().await, fixture.claim().await, fixture.claim().await];
    fixture.end(finishing.unwrap(), finished()).await;
    fixture.end(crashing.unwrap(), crashed()).await;
    fixture.clock.advance(LEASE_MS + 1);
    assert_eq!(store.reap().await.unwrap().len(), 1);
    fixture.claim().await.unwrap();
    let census = store.census().await.unwrap();
    assert_eq!(census.jobs, Counts { queued: 3, running: 1, succeeded: 1, ..Counts::default() });
    let ended =
        [EndReason::Completed, EndReason::RunnerCrashed, EndReason::WorkerLost].map(|reason| (reason, 1));
    assert_eq!(census.attempts_ended, ended);
}

pub async fn the_counter_of_ended_attempts_survives_a_deletion(fixture: Fixture) {
    let store = &fixture.store;
    for ends in 1..=2 {
        for end in [finished(), crashed()] {
            let id = fixture.submit(json!({ "name": "mine" })).await;
            let lease = fixture.claim().await.unwrap();
            fixture.end(lease, end).await;
            store.act_on_experiment(id, Action::Cancel).await.unwrap();
            store.delete_experiment(id, "mine").await.unwrap();
        }
        let census = store.census().await.unwrap();
        assert_eq!(census.jobs, Counts::default());
        let ended = [EndReason::Completed, EndReason::RunnerCrashed].map(|reason| (reason, ends));
        assert_eq!(census.attempts_ended, ended);
    }
}

/// The number of claims, and the total seconds that their jobs had waited.
fn waits(fixture: &Fixture) -> [f64; 2] {
    let mut registry = Registry::default();
    registry.register("wait", "", fixture.store.activity().claim_waits.clone());
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    let figure = |name| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    ["wait_count", "wait_sum"].map(|name| figure(name).unwrap())
}

pub async fn a_claim_measures_the_time_in_the_queue(fixture: Fixture) {
    let store = &fixture.store;
    let id = fixture.one_job(json!({})).await;
    fixture.clock.advance(3_000);
    let first = fixture.claim().await.unwrap();
    assert_eq!(waits(&fixture), [1.0, 3.0]);
    // The retry delay of a second does not count as waiting for a slot.
    fixture.end(first, crashed()).await;
    fixture.clock.advance(1_500);
    let second = fixture.claim().await.unwrap();
    assert_eq!(waits(&fixture), [2.0, 3.5]);
    // Neither does the time until a retry by hand.
    store.act_on_job(id, Action::Pause).await.unwrap();
    fixture.end(second, AttemptEnd::HandedBack).await;
    fixture.clock.advance(60_000);
    store.act_on_job(id, Action::Resume).await.unwrap();
    fixture.clock.advance(250);
    let third = fixture.claim().await.unwrap();
    assert_eq!(waits(&fixture), [3.0, 3.75]);
    store.act_on_job(id, Action::Cancel).await.unwrap();
    fixture.end(third, AttemptEnd::HandedBack).await;
    fixture.clock.advance(60_000);
    store.act_on_job(id, Action::Retry).await.unwrap();
    fixture.clock.advance(250);
    let fourth = fixture.claim().await.unwrap();
    assert_eq!(waits(&fixture), [4.0, 4.0]);
    fixture.record(fourth, &[1, 2, 3]).await.unwrap();
    assert_eq!(store.activity().points.get(), 3);
}
