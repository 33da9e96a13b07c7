//! Pools of pilots, and attempts whose machine an engine took away.

use std::time::Duration;

use optlab::store::{AttemptEnd, Demand, Origin, Pool, PoolHold, Slot, StoreError};
use optlab_domain::{Action, Device, DeviceKind, EndReason, Engine, JobState, Lease, Pilot, PilotState};
use serde_json::json;

use crate::fixture::{Fixture, LEASE_MS, crashed, offered};

const HELD: Duration = Duration::from_secs(45);
const MINUTE_MS: i64 = 60_000;

/// Holds the pool `cpu` as the process with this number, if it has one.
async fn hold(fixture: &Fixture, holder: Option<i64>) -> Option<Pool> {
    let hold = PoolHold {
        pool: "cpu",
        engine: Engine::Slurm,
        device: DeviceKind::Cpu,
        max_workers: 3,
        holder,
        lease: HELD,
    };
    fixture.store.hold_pool(&hold).await.unwrap()
}

fn pilot(engine_job: &str) -> Pilot {
    let reason = Some("Resources".to_owned());
    Pilot { engine_job: engine_job.to_owned(), state: PilotState::Pending, reason, node: None }
}

/// The slot of a pilot's worker.
pub async fn start_pilot(fixture: &Fixture, engine_job: &str) -> Slot {
    let origin = Origin {
        engine: Some(Engine::Slurm),
        engine_job: Some(engine_job.to_owned()),
        node: Some("n1".to_owned()),
        pool: Some("cpu".to_owned()),
        until_ms: Some(5_000_000),
    };
    let worker = fixture.store.register_worker("n1:7", &[offered("cpu", None)], &origin).await.unwrap();
    Slot { worker, device: Device::Cpu }
}

pub async fn claim(fixture: &Fixture, slot: &Slot) -> Lease {
    fixture.store.claim(slot, LEASE_MS).await.unwrap().expect("a job waits").lease
}

/// Ends the attempt as lost: its lease expires.
pub async fn lose(fixture: &Fixture, lease: Lease) {
    fixture.clock.advance(LEASE_MS + 1);
    assert_eq!(fixture.store.reap().await.unwrap(), [lease]);
}

async fn ends(fixture: &Fixture, lease: Lease) -> Vec<Option<EndReason>> {
    let attempts = fixture.store.attempts(lease.job).await.unwrap();
    attempts.into_iter().map(|attempt| attempt.end_reason).collect()
}

pub async fn one_process_keeps_a_pool_at_a_time(fixture: Fixture) {
    let first = hold(&fixture, None).await.unwrap();
    assert_eq!((first.name.as_str(), first.max_workers, first.mark.len()), ("cpu", 3, 8));
    assert_eq!(hold(&fixture, None).await, None, "it is held");
    fixture.clock.advance(30_000);
    assert!(hold(&fixture, Some(first.holder)).await.is_some(), "its process renews");
    fixture.clock.advance(30_000);
    assert_eq!(hold(&fixture, None).await, None, "it was renewed");
    fixture.clock.advance(16_000);
    let second = hold(&fixture, None).await.expect("the lease has expired");
    assert_eq!(second.mark, first.mark, "pilots are found again");
    assert_eq!(hold(&fixture, Some(first.holder)).await, None, "the first process has lost it");
    let late = fixture.store.record_pilots(&first, &[pilot("1")], None).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    fixture.store.record_pilots(&second, &[pilot("2")], None).await.unwrap();
    fixture.store.release_pool(&second).await.unwrap();
    let third = hold(&fixture, None).await.expect("it was released");
    assert_eq!(third.pilots.0, [pilot("2")]);
    let listed = async |since_ms| fixture.store.pools(since_ms).await.unwrap().len();
    assert_eq!(listed(third.seen_ms).await, 1);
    assert_eq!(listed(third.seen_ms + 1).await, 0, "it is no longer kept");
}

pub async fn of_many_processes_one_takes_a_pool(fixture: Fixture) {
    let mut processes = Vec::new();
    for _ in 0..6 {
        let store = fixture.other_process().await;
        processes.push(tokio::spawn(async move {
            let (pool, engine, device) = ("gpu", Engine::Slurm, DeviceKind::Cuda);
            let hold = PoolHold { pool, engine, device, max_workers: 1, holder: None, lease: HELD };
            store.hold_pool(&hold).await.unwrap()
        }));
    }
    let mut held = Vec::new();
    for process in processes {
        held.extend(process.await.unwrap());
    }
    assert_eq!(held.len(), 1, "{held:?}");
}

pub async fn failures_pause_a_pool_for_longer_and_a_person_ends_the_pause(fixture: Fixture) {
    let pool = hold(&fixture, None).await.unwrap();
    let mut pauses = Vec::new();
    for _ in 0..6 {
        let pause = fixture.store.record_pool_failure(&pool, "no partition").await.unwrap();
        pauses.push(pause.as_secs() / 60);
    }
    assert_eq!(pauses, [0, 1, 15, 30, 60, 60]);
    fixture.clock.advance(MINUTE_MS);
    let paused = fixture.store.pools(0).await.unwrap().remove(0);
    let now = fixture.store.time_ms().await.unwrap();
    assert_eq!(paused.pause_ms(now), Some(59 * MINUTE_MS));
    assert_eq!(paused.trouble.as_deref(), Some("no partition"));
    fixture.store.record_pilots(&pool, &[], Some("Slurm is away")).await.unwrap();
    let paused = fixture.store.pools(0).await.unwrap().remove(0);
    assert_eq!(paused.trouble.as_deref(), Some("no partition"), "why it is paused stays");
    fixture.store.resume_pool("cpu").await.unwrap();
    let resumed = fixture.store.pools(0).await.unwrap().remove(0);
    assert_eq!((resumed.failures, resumed.pause_ms(now), resumed.trouble), (0, None, None));
    let unknown = fixture.store.resume_pool("gpu").await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no pool `gpu`");
}

pub async fn demand_counts_due_jobs_of_the_device_and_those_of_its_pilots(fixture: Fixture) {
    let pool = hold(&fixture, None).await.unwrap();
    let demand = async || fixture.store.demand(&pool).await.unwrap();
    assert_eq!(demand().await, Demand { queued: 0, running: 0, slots: None });
    let paused = fixture.one_job(json!({})).await;
    fixture.store.act_on_job(paused, Action::Pause).await.unwrap();
    fixture.one_job(json!({ "resources": { "device": "cuda" } })).await;
    fixture.one_job(json!({ "resources": { "device": "cpu" } })).await;
    for _ in 0..3 {
        fixture.one_job(json!({})).await;
    }
    assert_eq!(demand().await, Demand { queued: 4, running: 0, slots: None });
    let slot = start_pilot(&fixture, "17").await;
    claim(&fixture, &slot).await;
    claim(&fixture, &fixture.slot).await;
    let (queued, running, slots) = (2, 1, Some(2));
    assert_eq!(demand().await, Demand { queued, running, slots }, "one runs elsewhere");
    let delayed = claim(&fixture, &slot).await;
    fixture.end(delayed, crashed()).await;
    assert_eq!(demand().await, Demand { queued: 1, running, slots }, "one is not due");
}

pub async fn a_pilot_has_worked_once_its_worker_has_claimed(fixture: Fixture) {
    let pool = hold(&fixture, None).await.unwrap();
    let has_worked = async |job| fixture.store.pilot_has_worked(&pool, job).await.unwrap();
    fixture.one_job(json!({})).await;
    let slot = start_pilot(&fixture, "17").await;
    assert!(!has_worked("17").await, "its runner may not start");
    claim(&fixture, &slot).await;
    assert!(has_worked("17").await && !has_worked("1").await);
    start_pilot(&fixture, "17").await;
    assert!(!has_worked("17").await, "another pilot has its id now");
}

pub async fn an_attempt_on_a_machine_that_was_taken_away_costs_nothing(fixture: Fixture) {
    fixture.one_job(json!({ "max_attempts": 1 })).await;
    let slot = start_pilot(&fixture, "17").await;
    let lease = claim(&fixture, &slot).await;
    let uncounted = fixture.store.preempt("cpu", "17", "Slurm: preempted").await.unwrap();
    assert_eq!(uncounted, [], "its worker may still hand the job back");
    assert_eq!(fixture.job(lease.job).await.record.state, JobState::Running);
    lose(&fixture, lease).await;
    let job = fixture.job(lease.job).await;
    assert_eq!(
        (job.record.state, job.attempt_error.as_deref()),
        (JobState::Queued, Some("Slurm: preempted"))
    );
    assert_eq!(ends(&fixture, lease).await, [Some(EndReason::Preempted)]);
}

pub async fn an_attempt_that_was_counted_as_lost_is_refunded(fixture: Fixture) {
    fixture.one_job(json!({ "max_attempts": 2 })).await;
    let slot = start_pilot(&fixture, "17").await;
    let first = claim(&fixture, &slot).await;
    lose(&fixture, first).await;
    let second = claim(&fixture, &fixture.slot).await;
    assert_eq!(fixture.store.preempt("cpu", "17", "node failure").await.unwrap(), [first]);
    assert_eq!(fixture.store.preempt("cpu", "17", "node failure").await.unwrap(), [], "once");
    lose(&fixture, second).await;
    assert_eq!(fixture.job(first.job).await.record.state, JobState::Queued, "one attempt is left");
    let third = claim(&fixture, &fixture.slot).await;
    lose(&fixture, third).await;
    assert_eq!(fixture.job(first.job).await.record.state, JobState::Failed);
    let lost = Some(EndReason::WorkerLost);
    assert_eq!(ends(&fixture, first).await, [Some(EndReason::Preempted), lost, lost]);
}

pub async fn a_refund_counts_whatever_happened_since(fixture: Fixture) {
    fixture.one_job(json!({ "max_attempts": 2 })).await;
    let slot = start_pilot(&fixture, "17").await;
    let first = claim(&fixture, &slot).await;
    lose(&fixture, first).await;
    let second = claim(&fixture, &fixture.slot).await;
    fixture.end(second, AttemptEnd::HandedBack).await;
    let third = claim(&fixture, &fixture.slot).await;
    lose(&fixture, third).await;
    assert_eq!(fixture.state(first.job).await, JobState::Failed);
    assert_eq!(fixture.store.preempt("cpu", "17", "node failure").await.unwrap(), [first]);
    assert_eq!(fixture.state(first.job).await, JobState::Queued, "a later attempt was the last one");
    let fourth = claim(&fixture, &fixture.slot).await;
    lose(&fixture, fourth).await;
    assert_eq!(fixture.state(first.job).await, JobState::Failed, "no attempt is left");
    fixture.store.act_on_job(first.job, Action::Retry).await.unwrap();
    assert_eq!(fixture.store.preempt("cpu", "17", "again").await.unwrap(), []);
}

/// A worker that has reported after it lost an attempt was alive, so that its machine is not to blame.
pub async fn a_worker_that_lived_on_is_refunded_nothing(fixture: Fixture) {
    fixture.one_job(json!({ "max_attempts": 1 })).await;
    let slot = start_pilot(&fixture, "17").await;
    let lease = claim(&fixture, &slot).await;
    lose(&fixture, lease).await;
    fixture.clock.advance(1);
    fixture.store.record_heartbeat(slot.worker, &[offered("cpu", None)], None).await.unwrap();
    assert_eq!(fixture.store.preempt("cpu", "17", "time limit").await.unwrap(), []);
    assert_eq!(fixture.state(lease.job).await, JobState::Failed);
}

/// After a crash, Slurm starts a pilot again under the same id.
pub async fn a_pilot_that_starts_again_refunds_its_first_attempt(fixture: Fixture) {
    fixture.one_job(json!({ "max_attempts": 1 })).await;
    let slot = start_pilot(&fixture, "17").await;
    let lease = claim(&fixture, &slot).await;
    start_pilot(&fixture, "18").await;
    lose(&fixture, lease).await;
    assert_eq!(fixture.state(lease.job).await, JobState::Failed);
    start_pilot(&fixture, "17").await;
    assert_eq!(fixture.state(lease.job).await, JobState::Queued);
    assert_eq!(ends(&fixture, lease).await, [Some(EndReason::Preempted)]);
}

pub async fn a_job_that_failed_by_a_machine_that_was_taken_away_is_requeued(fixture: Fixture) {
    fixture.one_job(json!({ "max_attempts": 1 })).await;
    let slot = start_pilot(&fixture, "17").await;
    let lease = claim(&fixture, &slot).await;
    lose(&fixture, lease).await;
    assert_eq!(fixture.job(lease.job).await.record.state, JobState::Failed);
    fixture.store.preempt("cpu", "18", "another pilot").await.unwrap();
    assert_eq!(fixture.job(lease.job).await.record.state, JobState::Failed);
    fixture.store.preempt("cpu", "17", "node failure").await.unwrap();
    let job = fixture.job(lease.job).await;
    assert_eq!((job.record.state, job.record.end_reason), (JobState::Queued, None));
    let again = claim(&fixture, &fixture.slot).await;
    assert_eq!(again.job, lease.job);
}
