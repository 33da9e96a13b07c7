//! Claims and leases.

use std::time::Duration;

use optlab::store::{Slot, StoreError};
use optlab::worker::Reaper;
use optlab_domain::{AttemptNumber, Device, EndReason, JobState};
use optlab_spec::protocol::Point;
use serde_json::json;

use crate::fixture::{Fixture, LEASE_MS, crashed, finished, is_lost, point};

pub async fn a_job_is_claimed_recorded_and_ended(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    assert!(fixture.claim().await.is_none(), "a job is claimed once");
    fixture.start(lease, 0).await;
    fixture.record(lease, &[0, 50]).await.unwrap();
    let accuracy = Point { series: "test/accuracy".to_owned(), ..point(100, 97.5) };
    fixture.store.record(lease, &[accuracy], Some(100), LEASE_MS).await.unwrap();
    assert_eq!(fixture.end(lease, finished()).await, JobState::Succeeded);
    is_lost(fixture.record(lease, &[101]).await);
    // The worker may not have got the answer: repeating the same end succeeds, and another end is rejected.
    assert_eq!(fixture.end(lease, finished()).await, JobState::Succeeded);
    is_lost(fixture.store.end(lease, crashed()).await);
    let job = fixture.job(id).await;
    assert_eq!(
        (job.record.step, job.record.end_reason, job.record.attempt),
        (100, Some(EndReason::Completed), AttemptNumber::FIRST)
    );
    let figures = fixture.store.figures(job.record.experiment_id).await.unwrap();
    assert_eq!((figures[0].test_accuracy, figures[0].seconds), (Some(97.5), Some(2.5)));
}

pub async fn a_lost_worker_can_write_nothing_more(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let old = fixture.claim().await.unwrap();
    fixture.start(old, 0).await;
    fixture.record(old, &[1, 2, 3]).await.unwrap();
    fixture.clock.advance(LEASE_MS);
    assert!(fixture.store.reap().await.unwrap().is_empty(), "the lease is not over yet");
    fixture.clock.advance(1);
    assert_eq!(fixture.store.reap().await.unwrap(), [old]);
    assert_eq!(fixture.state(id).await, JobState::Queued);
    is_lost(fixture.record(old, &[4]).await);

    let new = fixture.claim().await.unwrap();
    assert_eq!((new.job, new.attempt), (id, AttemptNumber::from(2)));
    is_lost(fixture.record(old, &[4]).await);
    is_lost(fixture.store.end(old, crashed()).await);
    // The points of the first attempt are kept until the second one writes.
    assert_eq!(fixture.steps(id).await, [1, 2, 3]);
    fixture.start(new, 0).await;
    assert!(fixture.steps(id).await.is_empty());
}

pub async fn a_reaper_that_could_not_write_extends_every_lease(fixture: Fixture) {
    fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    let duration = Duration::from_millis(LEASE_MS as u64);
    let mut reaper = Reaper::new(fixture.store.clone(), fixture.clock.clone(), duration);
    assert!(reaper.round().await.unwrap().is_empty());
    // The machine sleeps for an hour, so every lease has expired.
    fixture.clock.advance(3_600_000);
    assert!(reaper.round().await.unwrap().is_empty());
    fixture.record(lease, &[1]).await.unwrap();
    for _ in 0..2 {
        fixture.clock.advance(LEASE_MS / 3);
        assert!(reaper.round().await.unwrap().is_empty());
    }
    // From here on the worker is silent, while this process can write.
    let mut lost = Vec::new();
    for _ in 0..4 {
        fixture.clock.advance(LEASE_MS / 3);
        lost.extend(reaper.round().await.unwrap());
    }
    assert_eq!(lost, [lease]);
}

pub async fn a_job_with_an_unreadable_spec_fails_with_a_reason(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    assert_eq!(fixture.execute("UPDATE jobs SET spec = '{\"arm\": \"baseline\"}'").await, 1);
    assert!(fixture.store.claim(&fixture.slot, LEASE_MS).await.is_err());
    assert!(fixture.claim().await.is_none());
    let job = fixture.job(id).await;
    assert_eq!((job.record.state, job.record.end_reason), (JobState::Failed, Some(EndReason::UserError)));
    assert!(job.record.error.unwrap().contains("/train: is missing"));
}

pub async fn jobs_are_claimed_by_priority_then_age_on_a_matching_device(fixture: Fixture) {
    let with =
        |priority: i64, device: &str| json!({ "priority": priority, "resources": { "device": device } });
    let low = fixture.one_job(with(0, "any")).await;
    let high = fixture.one_job(with(5, "any")).await;
    let younger = fixture.one_job(with(5, "cpu")).await;
    let cuda = fixture.one_job(with(9, "cuda")).await;
    let mut order = Vec::new();
    while let Some(lease) = fixture.claim().await {
        order.push(lease.job);
    }
    assert_eq!(order, [high, younger, low]);
    let gpu = Slot { device: Device::Cuda(1), ..fixture.slot.clone() };
    assert_eq!(fixture.store.claim(&gpu, LEASE_MS).await.unwrap().unwrap().lease.job, cuda);
}

pub async fn slots_of_many_processes_never_share_a_job(fixture: Fixture) {
    fixture.submit(json!({ "seeds": (0..20).collect::<Vec<_>>() })).await;
    let mut slots = Vec::new();
    for _ in 0..8 {
        let (store, slot) = (fixture.other_process().await, fixture.slot.clone());
        slots.push(tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                match store.claim(&slot, LEASE_MS).await {
                    Ok(Some(claim)) => mine.push(claim.lease.job),
                    Ok(None) => return mine,
                    // Other processes have locked the file for seconds; workers retry, too.
                    Err(StoreError::Busy | StoreError::Away) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }));
    }
    let mut jobs = Vec::new();
    for slot in slots {
        jobs.extend(slot.await.unwrap());
    }
    jobs.sort_unstable();
    assert_eq!(jobs.len(), 60);
    jobs.dedup();
    assert_eq!(jobs.len(), 60);
}
