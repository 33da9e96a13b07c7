//! Figures for those who watch over the service.

use optlab::store::{AttemptEnd, Counts};
use optlab_domain::{Action, EndReason};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::json;

use crate::fixture::{Fixture, LEASE_MS, crashed, finished};

pub async fn the_census_counts_jobs_and_how_attempts_ended(fixture: Fixture) {
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

/// How many claims there were, and the seconds that all their jobs had waited.
fn waits(fixture: &Fixture) -> [f64; 2] {
    let mut registry = Registry::default();
    registry.register("wait", "", fixture.store.activity().claim_waits.clone());
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    let figure = |name| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    ["wait_count", "wait_sum"].map(|name| figure(name).unwrap())
}

pub async fn a_claim_tells_how_long_the_job_could_have_been_claimed(fixture: Fixture) {
    let store = &fixture.store;
    let id = fixture.one_job(json!({})).await;
    fixture.clock.advance(3_000);
    let first = fixture.claim().await.unwrap();
    assert_eq!(waits(&fixture), [1.0, 3.0]);
    // It is tried again after a second, which is no wait for a slot.
    fixture.end(first, crashed()).await;
    fixture.clock.advance(1_500);
    let second = fixture.claim().await.unwrap();
    assert_eq!(waits(&fixture), [2.0, 3.5]);
    // Neither is the time until a person wants it again.
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
