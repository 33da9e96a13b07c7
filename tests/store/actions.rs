//! Actions on jobs: cancel, pause, resume, retry.

use optlab::store::AttemptEnd;
use optlab_domain::{Action, AttemptNumber, EndReason, ExperimentId, JobId, JobState, Request};
use serde_json::json;

use crate::fixture::{Fixture, crashed, failed, finished, is_conflict, is_not_found};

pub async fn a_cancel_request_reaches_the_worker_and_impossible_actions_are_rejected(fixture: Fixture) {
    let experiment = fixture.submit(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    assert_eq!(fixture.record(lease, &[1]).await.unwrap(), None);
    fixture.store.act_on_experiment(experiment, Action::Cancel).await.unwrap();
    assert_eq!(fixture.record(lease, &[2]).await.unwrap(), Some(Request::Cancel));
    assert_eq!(fixture.end(lease, failed(EndReason::Cancelled)).await, JobState::Cancelled);
    let counts = fixture.store.experiment(experiment).await.unwrap().counts;
    assert_eq!((counts.cancelled, counts.queued), (3, 0));

    fixture.store.act_on_experiment(experiment, Action::Retry).await.unwrap();
    let lease = fixture.claim().await.unwrap();
    fixture.end(lease, finished()).await;
    is_conflict(fixture.store.act_on_job(lease.job, Action::Cancel).await);
    is_conflict(fixture.store.act_on_job(lease.job, Action::Pause).await);
    is_conflict(fixture.store.act_on_job(lease.job, Action::Resume).await);
    is_conflict(fixture.store.act_on_job(lease.job, Action::Retry).await);
    is_not_found(fixture.store.act_on_job(JobId::from(99), Action::Cancel).await);
    is_not_found(fixture.store.act_on_job(JobId::from(99), Action::Pause).await);
    is_not_found(fixture.store.act_on_job(JobId::from(99), Action::Resume).await);
    is_not_found(fixture.store.act_on_job(JobId::from(99), Action::Retry).await);
}

pub async fn a_cancelled_job_whose_runner_dies_is_not_retried(fixture: Fixture) {
    fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    fixture.store.act_on_job(lease.job, Action::Cancel).await.unwrap();
    assert_eq!(fixture.end(lease, crashed()).await, JobState::Cancelled);
}

pub async fn a_queued_job_is_paused_and_resumed_at_once(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    for _ in 0..2 {
        fixture.store.act_on_job(id, Action::Pause).await.unwrap();
        assert_eq!(fixture.state(id).await, JobState::Paused);
    }
    assert!(fixture.claim().await.is_none());
    is_conflict(fixture.store.act_on_job(id, Action::Retry).await);
    for _ in 0..2 {
        fixture.store.act_on_job(id, Action::Resume).await.unwrap();
        assert_eq!(fixture.state(id).await, JobState::Queued);
    }
    fixture.store.act_on_job(id, Action::Pause).await.unwrap();
    fixture.store.act_on_job(id, Action::Cancel).await.unwrap();
    assert_eq!(fixture.state(id).await, JobState::Cancelled);
}

pub async fn a_pause_request_reaches_the_worker(fixture: Fixture) {
    let id = fixture.one_job(json!({ "max_attempts": 1 })).await;
    let lease = fixture.claim().await.unwrap();
    fixture.store.act_on_job(id, Action::Pause).await.unwrap();
    let job = fixture.job(id).await;
    assert_eq!((job.record.state, job.record.requested), (JobState::Running, Some(Request::Pause)));
    assert_eq!(fixture.record(lease, &[1]).await.unwrap(), Some(Request::Pause));
    assert_eq!(fixture.end(lease, AttemptEnd::HandedBack).await, JobState::Paused);
    assert_eq!(fixture.job(id).await.record.requested, None);
    assert!(fixture.claim().await.is_none());
    // The answer may have been lost.
    assert_eq!(fixture.end(lease, AttemptEnd::HandedBack).await, JobState::Paused);
    fixture.store.act_on_job(id, Action::Resume).await.unwrap();
    assert_eq!(fixture.claim().await.unwrap().attempt, AttemptNumber::from(2), "a pause costs no attempt");
}

pub async fn a_running_job_that_crashes_is_paused_as_requested(fixture: Fixture) {
    let id = fixture.one_job(json!({ "max_attempts": 2 })).await;
    let lease = fixture.claim().await.unwrap();
    fixture.store.act_on_job(id, Action::Pause).await.unwrap();
    assert_eq!(fixture.end(lease, crashed()).await, JobState::Paused);
    fixture.store.act_on_job(id, Action::Resume).await.unwrap();
    assert!(fixture.claim().await.is_none(), "it waits as long as after any crash");
    fixture.clock.advance(1_000);
    let lease = fixture.claim().await.unwrap();
    fixture.store.act_on_job(id, Action::Pause).await.unwrap();
    assert_eq!(fixture.end(lease, crashed()).await, JobState::Failed, "the attempts are used up");
}

pub async fn resuming_withdraws_a_pause_request(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    fixture.store.act_on_job(id, Action::Pause).await.unwrap();
    fixture.store.act_on_job(id, Action::Resume).await.unwrap();
    assert_eq!(fixture.record(lease, &[1]).await.unwrap(), None);
    assert_eq!(fixture.end(lease, finished()).await, JobState::Succeeded);
}

pub async fn a_cancel_request_overrides_a_pause_and_rejects_other_actions(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    fixture.store.act_on_job(id, Action::Pause).await.unwrap();
    fixture.store.act_on_job(id, Action::Cancel).await.unwrap();
    for action in [Action::Pause, Action::Resume, Action::Retry] {
        is_conflict(fixture.store.act_on_job(id, action).await);
    }
    assert_eq!(fixture.record(lease, &[1]).await.unwrap(), Some(Request::Cancel));
    assert_eq!(fixture.end(lease, AttemptEnd::HandedBack).await, JobState::Cancelled);
    is_conflict(fixture.store.act_on_job(id, Action::Resume).await);
}

pub async fn a_whole_experiment_is_paused_and_resumed(fixture: Fixture) {
    let arms = json!([{ "name": "baseline", "method": { "kind": "baseline" } }]);
    let experiment = fixture.submit(json!({ "arms": arms, "seeds": [0, 1, 2, 3, 4] })).await;
    let other = fixture.one_job(json!({})).await;
    let queued = fixture.jobs(experiment).await[4].record.id;
    let lease = fixture.claim().await.unwrap();
    fixture.end(lease, finished()).await;
    let lease = fixture.claim().await.unwrap();
    fixture.end(lease, crashed()).await;
    let (running, cancelled) = (fixture.claim().await.unwrap(), fixture.claim().await.unwrap());
    fixture.store.act_on_job(cancelled.job, Action::Cancel).await.unwrap();
    for changed in [3, 0] {
        assert_eq!(fixture.store.act_on_experiment(experiment, Action::Pause).await.unwrap(), changed);
        let counts = fixture.store.experiment(experiment).await.unwrap().counts;
        assert_eq!((counts.paused, counts.running, counts.queued, counts.succeeded), (2, 2, 0, 1));
        assert_eq!(fixture.record(running, &[1]).await.unwrap(), Some(Request::Pause));
        assert_eq!(fixture.record(cancelled, &[1]).await.unwrap(), Some(Request::Cancel));
    }
    assert_eq!(fixture.state(other).await, JobState::Queued);
    // The withdrawn request is a change, too.
    for changed in [3, 0] {
        assert_eq!(fixture.store.act_on_experiment(experiment, Action::Resume).await.unwrap(), changed);
        let counts = fixture.store.experiment(experiment).await.unwrap().counts;
        assert_eq!((counts.paused, counts.running, counts.queued, counts.succeeded), (0, 2, 2, 1));
        assert_eq!(fixture.record(running, &[2]).await.unwrap(), None);
        assert_eq!(fixture.record(cancelled, &[2]).await.unwrap(), Some(Request::Cancel));
    }
    // The crashed job still waits.
    let claimed = [fixture.claim().await.unwrap().job, fixture.claim().await.unwrap().job];
    assert_eq!((claimed, fixture.claim().await), ([queued, other], None));
    is_not_found(fixture.store.act_on_experiment(ExperimentId::from(99), Action::Pause).await);
    is_not_found(fixture.store.act_on_experiment(ExperimentId::from(99), Action::Resume).await);
}

pub async fn a_rejected_action_releases_its_locks_at_once(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let mut lost = fixture.claim().await.unwrap();
    for _ in 0..50 {
        fixture.end(lost, AttemptEnd::HandedBack).await;
        // The first action changes nothing, and the others are rejected.
        fixture.store.act_on_job(id, Action::Resume).await.unwrap();
        lost = fixture.claim().await.expect("it waits");
        fixture.end(lost, AttemptEnd::HandedBack).await;
        fixture.record(lost, &[1]).await.unwrap_err();
        fixture.store.remark(lost, None).await.unwrap_err();
        lost = fixture.claim().await.expect("it waits");
        fixture.end(lost, AttemptEnd::HandedBack).await;
        fixture.store.end(lost, finished()).await.unwrap_err();
        lost = fixture.claim().await.expect("it waits");
    }
}
