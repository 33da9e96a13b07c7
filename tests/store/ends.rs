//! Ends of attempts, and the number and delay of retries.

use optlab::store::{AttemptEnd, CompleteRun};
use optlab_domain::lifecycle::LONGEST_WAIT_MS;
use optlab_domain::{Action, AttemptNumber, EndReason, JobState};
use serde_json::json;

use crate::fixture::{BEGIN_MS, Fixture, LEASE_MS, checkpoint, complete_run, crashed, failed, finished};

pub async fn attempts_are_limited_and_a_retry_by_hand_resets_them(fixture: Fixture) {
    let id = fixture.one_job(json!({ "max_attempts": 2 })).await;
    for (attempt, after) in [(1, JobState::Queued), (2, JobState::Failed)] {
        let lease = fixture.claim().await.unwrap();
        assert_eq!(lease.attempt, AttemptNumber::from(attempt));
        assert_eq!(fixture.end(lease, crashed()).await, after);
        fixture.clock.advance(LONGEST_WAIT_MS);
    }
    assert_eq!(fixture.job(id).await.record.end_reason, Some(EndReason::RunnerCrashed));
    fixture.store.act_on_job(id, Action::Retry).await.unwrap();
    let job = fixture.job(id).await;
    assert_eq!(
        (job.record.state, job.record.end_reason, job.record.error, job.record.ended_ms),
        (JobState::Queued, None, None, None)
    );
    for (attempt, after) in [(3, JobState::Queued), (4, JobState::Failed)] {
        let lease = fixture.claim().await.unwrap();
        assert_eq!(lease.attempt, AttemptNumber::from(attempt));
        assert_eq!(fixture.end(lease, crashed()).await, after);
        fixture.clock.advance(LONGEST_WAIT_MS);
    }
}

pub async fn a_hand_back_costs_no_attempt(fixture: Fixture) {
    let id = fixture.one_job(json!({ "max_attempts": 2 })).await;
    for _ in 0..5 {
        let lease = fixture.claim().await.unwrap();
        assert_eq!(fixture.end(lease, AttemptEnd::HandedBack).await, JobState::Queued);
    }
    assert_eq!(fixture.job(id).await.record.attempt, AttemptNumber::from(5));
}

pub async fn a_machine_fault_costs_no_attempt_and_is_reported(fixture: Fixture) {
    let id = fixture.one_job(json!({ "max_attempts": 2 })).await;
    for _ in 0..5 {
        let lease = fixture.claim().await.unwrap();
        assert_eq!(fixture.end(lease, AttemptEnd::machine_fault("no room")).await, JobState::Queued);
    }
    let last = fixture.store.attempts(id).await.unwrap().pop().unwrap();
    let told = (last.number, last.end_reason, last.error.as_deref());
    assert_eq!(told, (AttemptNumber::from(5), Some(EndReason::MachineFault), Some("no room")));
    fixture.store.act_on_job(id, Action::Cancel).await.unwrap();
    assert_eq!(fixture.state(id).await, JobState::Cancelled);
}

pub async fn a_crashing_job_is_retried_with_growing_delays(fixture: Fixture) {
    let id = fixture.one_job(json!({ "max_attempts": 100 })).await;
    let reasons = [EndReason::RunnerCrashed, EndReason::OutOfMemory];
    let mut now = BEGIN_MS;
    for attempt in 0..12 {
        let lease = fixture.claim().await.unwrap();
        assert_eq!(fixture.end(lease, failed(reasons[attempt % 2])).await, JobState::Queued);
        let wait = fixture.job(id).await.not_before_ms - now;
        assert_eq!(wait, (1_000 << attempt).min(LONGEST_WAIT_MS), "after attempt {attempt}");
        fixture.clock.advance(wait - 1);
        assert!(fixture.claim().await.is_none(), "it waits {wait} ms");
        fixture.clock.advance(1);
        now += wait;
    }
}

pub async fn a_lost_or_handed_back_job_is_requeued_without_delay(fixture: Fixture) {
    let id = fixture.one_job(json!({ "max_attempts": 100 })).await;
    let lease = fixture.claim().await.unwrap();
    fixture.end(lease, crashed()).await;
    fixture.clock.advance(1_000);
    fixture.claim().await.unwrap();
    fixture.clock.advance(LEASE_MS + 1);
    assert_eq!(fixture.store.reap().await.unwrap().len(), 1);
    assert_eq!(fixture.job(id).await.not_before_ms, 0);
    let lease = fixture.claim().await.unwrap();
    fixture.end(lease, failed(EndReason::WorkerLost)).await;
    assert_eq!(fixture.job(id).await.not_before_ms, 0);
    let lease = fixture.claim().await.unwrap();
    fixture.end(lease, AttemptEnd::HandedBack).await;
    assert!(fixture.claim().await.is_some());
}

pub async fn a_lost_worker_costs_an_attempt(fixture: Fixture) {
    let id = fixture.one_job(json!({ "max_attempts": 3 })).await;
    for after in [JobState::Queued, JobState::Queued, JobState::Failed] {
        fixture.claim().await.unwrap();
        fixture.clock.advance(LEASE_MS + 1);
        fixture.store.reap().await.unwrap();
        assert_eq!(fixture.state(id).await, after);
    }
    let job = fixture.job(id).await;
    assert_eq!(
        (job.record.attempt, job.record.end_reason),
        (AttemptNumber::from(3), Some(EndReason::WorkerLost))
    );
    assert!(job.record.error.unwrap().contains("without a heartbeat"));
}

pub async fn a_failure_that_would_repeat_ends_the_job(fixture: Fixture) {
    for reason in [EndReason::UserError, EndReason::Diverged, EndReason::TimedOut] {
        let id = fixture.one_job(json!({})).await;
        let lease = fixture.claim().await.unwrap();
        assert_eq!(fixture.end(lease, failed(reason)).await, JobState::Failed);
        let job = fixture.job(id).await;
        assert_eq!((job.record.end_reason, job.record.attempt), (Some(reason), AttemptNumber::FIRST));
        fixture.store.act_on_job(id, Action::Retry).await.unwrap();
        let lease = fixture.claim().await.unwrap();
        assert_eq!((lease.job, fixture.end(lease, finished()).await), (id, JobState::Succeeded));
    }
}

pub async fn a_complete_run_with_missing_points_starts_again(fixture: Fixture) {
    let id = fixture.one_job(json!({ "max_attempts": 2 })).await;
    let whole = || {
        let points = vec![("train/loss", 3), ("test/accuracy", 0)];
        AttemptEnd::Finished(CompleteRun { points, ..complete_run() })
    };
    let lease = fixture.claim().await.unwrap();
    fixture.start(lease, 0).await;
    fixture.record(lease, &[1, 3]).await.unwrap();
    fixture.store.add_artifact(lease, &checkpoint(lease, 1)).await.unwrap();
    assert_eq!(fixture.end(lease, whole()).await, JobState::Queued);
    let job = fixture.job(id).await;
    assert_eq!((job.record.step, job.test_error), (0, None), "its checkpoints are not used");
    fixture.clock.advance(LONGEST_WAIT_MS);
    let claim = fixture.claim_whole().await.unwrap();
    assert!(claim.checkpoints.is_empty());
    fixture.start(claim.lease, 0).await;
    fixture.record(claim.lease, &[1, 3]).await.unwrap();
    assert_eq!(fixture.end(claim.lease, whole()).await, JobState::Failed);
    let job = fixture.job(id).await;
    let error = job.record.error.unwrap();
    assert!(error.contains("train/loss has 2 of 3 points"), "{error}");
    fixture.store.act_on_job(id, Action::Retry).await.unwrap();
    let lease = fixture.claim().await.unwrap();
    fixture.start(lease, 0).await;
    fixture.record(lease, &[1, 2, 3]).await.unwrap();
    assert_eq!(fixture.end(lease, whole()).await, JobState::Succeeded);
}

pub async fn a_succeeded_job_lists_its_missing_files(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    let missing_files = ["weights.safetensors is not stored: no space", "log.txt is not stored: no space"];
    let missing_files = missing_files.map(str::to_owned).to_vec();
    let end = AttemptEnd::Finished(CompleteRun { missing_files, ..complete_run() });
    assert_eq!(fixture.end(lease, end).await, JobState::Succeeded);
    let job = fixture.job(id).await;
    assert_eq!(job.record.end_reason, Some(EndReason::Completed));
    let error = "weights.safetensors is not stored: no space; log.txt is not stored: no space";
    assert_eq!(job.record.error.as_deref(), Some(error));
}
