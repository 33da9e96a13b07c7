//! Times written by a wrong clock, and workers that are gone.

use std::time::Duration;

use optlab::clock::Clock;
use optlab::worker::Reaper;
use optlab_domain::{Action, JobState};
use serde_json::json;

use crate::fixture::{Fixture, LEASE_MS, crashed, finished, offered};

const TWO_YEARS_MS: i64 = 2 * 365 * 24 * 3_600_000;
/// The longest lease that can be configured.
const HOUR_MS: i64 = 3_600_000;

pub async fn a_lease_in_the_far_future_counts_as_expired(fixture: Fixture) {
    let waiting = fixture.one_job(json!({})).await;
    let cancelled = fixture.one_job(json!({})).await;
    fixture.clock.advance(TWO_YEARS_MS);
    let leases = [fixture.claim().await.unwrap(), fixture.claim().await.unwrap()];
    fixture.clock.advance(-TWO_YEARS_MS);
    fixture.store.act_on_job(cancelled, Action::Cancel).await.unwrap();
    assert_eq!(fixture.store.reap().await.unwrap(), leases);
    assert_eq!(
        [fixture.state(waiting).await, fixture.state(cancelled).await],
        [JobState::Queued, JobState::Cancelled]
    );
    // A valid lease does not expire early.
    let long = fixture.store.claim(&fixture.slot, HOUR_MS).await.unwrap().unwrap();
    assert_eq!(long.lease.job, waiting);
    assert!(fixture.store.reap().await.unwrap().is_empty());
}

pub async fn a_retry_delay_in_the_far_future_counts_as_over(fixture: Fixture) {
    let crashing = fixture.one_job(json!({})).await;
    fixture.clock.advance(TWO_YEARS_MS);
    let lease = fixture.claim().await.unwrap();
    fixture.end(lease, crashed()).await;
    let delay = fixture.job(crashing).await.delay_ms(fixture.clock.now_ms());
    assert_eq!(delay, Some(1000), "the same clock waits");
    fixture.clock.advance(-TWO_YEARS_MS);
    let delay = fixture.job(crashing).await.delay_ms(fixture.clock.now_ms());
    assert_eq!(delay, None, "and no delay of two years is reported");
    let lease = fixture.claim().await.expect("it does not wait for two years");
    assert_eq!(lease.job, crashing);
    fixture.store.act_on_job(crashing, Action::Cancel).await.unwrap();
    fixture.end(lease, crashed()).await;

    fixture.clock.advance(TWO_YEARS_MS);
    fixture.store.act_on_job(crashing, Action::Retry).await.unwrap();
    fixture.clock.advance(-TWO_YEARS_MS);
    assert!(fixture.claim().await.is_some(), "nor after a retry by hand");
}

pub async fn a_job_that_starts_after_the_read_time_has_no_speed(fixture: Fixture) {
    let job = fixture.one_job(json!({})).await;
    let experiment = fixture.job(job).await.record.experiment_id;
    fixture.clock.advance(1);
    let lease = fixture.claim().await.unwrap();
    fixture.start(lease, 0).await;
    fixture.record(lease, &[1]).await.unwrap();
    // The read began a millisecond before the claim.
    fixture.clock.advance(-1);
    let seen = fixture.store.experiment(experiment).await.unwrap();
    assert_eq!((seen.counts.running, seen.eta_seconds), (1, None));
}

pub async fn a_reaper_waits_one_lease_after_its_clock_was_set_back(fixture: Fixture) {
    fixture.one_job(json!({})).await;
    let duration = Duration::from_millis(LEASE_MS as u64);
    let mut reaper = Reaper::new(fixture.store.clone(), fixture.clock.clone(), duration);
    fixture.clock.advance(TWO_YEARS_MS);
    assert!(reaper.round().await.unwrap().is_empty());
    let lease = fixture.claim().await.unwrap();
    fixture.clock.advance(-TWO_YEARS_MS);
    assert!(reaper.round().await.unwrap().is_empty());
    let mut lost = Vec::new();
    for _ in 0..4 {
        fixture.clock.advance(LEASE_MS / 3);
        lost.extend(reaper.round().await.unwrap());
    }
    assert_eq!(lost, [lease]);
}

pub async fn a_cancelled_job_ends_when_its_worker_is_gone(fixture: Fixture) {
    let (cancelled, running) = (fixture.one_job(json!({})).await, fixture.one_job(json!({})).await);
    for _ in 0..2 {
        fixture.store.claim(&fixture.slot, HOUR_MS).await.unwrap().unwrap();
    }
    fixture.store.act_on_job(cancelled, Action::Cancel).await.unwrap();
    fixture.clock.advance(30_000);
    assert!(fixture.store.reap().await.unwrap().is_empty(), "its worker may end it");
    fixture.clock.advance(1);
    assert_eq!(fixture.store.reap().await.unwrap().len(), 1);
    assert_eq!(fixture.state(cancelled).await, JobState::Cancelled);
    assert_eq!(fixture.state(running).await, JobState::Running, "its lease is not over");

    fixture.store.record_heartbeat(fixture.slot.worker, &[offered("cpu", None)], None).await.unwrap();
    fixture.store.act_on_job(running, Action::Cancel).await.unwrap();
    assert!(fixture.store.reap().await.unwrap().is_empty());
    fixture.store.deregister_worker(fixture.slot.worker).await.unwrap();
    fixture.store.reap().await.unwrap();
    assert_eq!(fixture.state(running).await, JobState::Cancelled);
    assert_eq!(fixture.count("SELECT count(*) FROM attempts WHERE ended_ms IS NULL").await, 0);
}

pub async fn a_warning_about_a_running_attempt_is_removed_at_its_end(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    let version = fixture.job(id).await.version;
    fixture.store.remark(lease, Some("it says nothing")).await.unwrap();
    assert_eq!(fixture.job(id).await.attempt_error.as_deref(), Some("it says nothing"));
    assert_eq!(fixture.jobs_since(version, 9).await.len(), 1, "open pages are notified");
    fixture.store.remark(lease, None).await.unwrap();
    assert_eq!(fixture.job(id).await.attempt_error, None);
    fixture.store.remark(lease, Some("it says nothing")).await.unwrap();
    fixture.end(lease, finished()).await;
    let job = fixture.job(id).await;
    assert_eq!((job.attempt_error, job.record.error), (None, None));
}
