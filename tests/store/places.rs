//! A job that fails on one machine goes to another one first.

use optlab::store::{AttemptEnd, OfferedDevice, Origin, Slot};
use optlab_domain::lifecycle::LONGEST_WAIT_FOR_PLACE_MS;
use optlab_domain::{Device, EndReason, JobState, Lease};
use serde_json::json;

use crate::fixture::{Fixture, LEASE_MS, crashed, failed, offered};

/// After the first crash.
const BACKOFF_MS: i64 = 1_000;

/// Two workers with a CPU each.
struct Fleet {
    fixture: Fixture,
    here: Slot,
    there: Slot,
}

impl Fleet {
    async fn new(fixture: Fixture) -> Self {
        let here = fixture.slot.clone();
        let worker = fixture
            .store
            .register_worker("there:2", &[offered("cpu", None)], &Origin::default())
            .await
            .unwrap();
        Self { fixture, here, there: Slot { worker, device: Device::Cpu } }
    }

    /// Advances the clock; both workers report.
    async fn later(&self, ms: i64) {
        self.fixture.clock.advance(ms);
        for slot in [&self.here, &self.there] {
            self.report(slot, 0).await;
        }
    }

    /// Reports the worker, with this many of its two slots resting.
    async fn report(&self, slot: &Slot, resting: usize) {
        let devices = [OfferedDevice { resting, ..offered(&slot.device.to_string(), None) }];
        let trouble = (resting > 0).then_some("it rests");
        self.fixture.store.record_heartbeat(slot.worker, &devices, trouble).await.unwrap();
    }

    async fn claim(&self, slot: &Slot) -> Option<Lease> {
        self.fixture.store.claim(slot, LEASE_MS).await.unwrap().map(|claim| claim.lease)
    }

    /// `slot` claims the job and crashes; returns the job's state.
    async fn crash(&self, slot: &Slot) -> JobState {
        let lease = self.claim(slot).await.expect("there is a job to crash");
        self.fixture.end(lease, crashed()).await
    }
}

pub async fn a_failed_job_goes_to_another_worker_first(fixture: Fixture) {
    for end in [crashed(), failed(EndReason::OutOfMemory), AttemptEnd::machine_fault("no room")] {
        let fleet = Fleet::new(Fixture::like(&fixture).await).await;
        let first = fleet.fixture.one_job(json!({ "priority": 1 })).await;
        let lease = fleet.claim(&fleet.here).await.unwrap();
        assert_eq!(fleet.fixture.end(lease, end).await, JobState::Queued);
        fleet.later(BACKOFF_MS).await;
        assert_eq!(fleet.claim(&fleet.here).await, None, "it waits for the other worker");
        let second = fleet.fixture.one_job(json!({})).await;
        assert_eq!(fleet.claim(&fleet.here).await.unwrap().job, second, "other jobs do not wait");
        assert_eq!(fleet.claim(&fleet.there).await.unwrap().job, first);
    }
}

pub async fn a_failed_job_waits_only_for_a_worker_that_can_claim_it(fixture: Fixture) {
    let fleet = Fleet::new(fixture).await;
    let store = &fleet.fixture.store;
    fleet.fixture.one_job(json!({ "max_attempts": 100 })).await;
    let taken_back = async || {
        let lease = fleet.claim(&fleet.here).await.expect("the other worker cannot take it");
        fleet.fixture.end(lease, AttemptEnd::HandedBack).await;
    };
    fleet.crash(&fleet.here).await;
    fleet.later(BACKOFF_MS).await;
    assert_eq!(fleet.claim(&fleet.here).await, None);

    fleet.report(&fleet.there, 1).await;
    assert_eq!(fleet.claim(&fleet.here).await, None, "one of its slots still claims");
    fleet.report(&fleet.there, 2).await;
    taken_back().await;
    fleet.crash(&fleet.here).await;
    fleet.later(300_000).await;
    assert_eq!(fleet.claim(&fleet.here).await, None, "it no longer rests");

    // Half a minute without a heartbeat.
    fleet.fixture.clock.advance(30_001);
    fleet.report(&fleet.here, 0).await;
    taken_back().await;
    fleet.crash(&fleet.here).await;
    fleet.later(300_000).await;
    assert_eq!(fleet.claim(&fleet.here).await, None, "it is back");

    store.drain_worker(fleet.there.worker).await.unwrap();
    taken_back().await;
}

pub async fn a_failed_job_does_not_wait_for_an_unsuitable_device(fixture: Fixture) {
    let fleet = Fleet::new(fixture).await;
    let gpu = [offered("cuda:0", None)];
    fleet.fixture.store.record_heartbeat(fleet.there.worker, &gpu, None).await.unwrap();
    fleet.fixture.one_job(json!({ "resources": { "device": "cpu" } })).await;
    fleet.crash(&fleet.here).await;
    fleet.fixture.clock.advance(BACKOFF_MS);
    assert!(fleet.claim(&fleet.here).await.is_some());
}

pub async fn a_job_that_failed_on_one_gpu_goes_to_another_of_the_machine(fixture: Fixture) {
    let fleet = Fleet::new(fixture).await;
    let devices = [offered("cuda:0", None), offered("cuda:1", None)];
    fleet.fixture.store.record_heartbeat(fleet.there.worker, &devices, None).await.unwrap();
    let gpu = |number: u32| Slot { device: Device::Cuda(number), ..fleet.there.clone() };
    fleet.fixture.one_job(json!({ "resources": { "device": "cuda" } })).await;
    fleet.crash(&gpu(0)).await;
    fleet.fixture.clock.advance(BACKOFF_MS);
    assert_eq!(fleet.claim(&gpu(0)).await, None);
    assert!(fleet.claim(&gpu(1)).await.is_some());
}

pub async fn a_device_of_another_version_is_read_and_ends_its_attempt(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    fixture.execute("UPDATE attempts SET device = 'tpu:0'").await;
    fixture.execute("UPDATE workers SET devices = replace(devices, '\"cpu\"', '\"tpu:0\"')").await;
    assert_eq!(fixture.store.workers(0).await.unwrap()[0].devices[0].device, "tpu:0");
    assert_eq!(fixture.job(id).await.device.as_deref(), Some("tpu:0"));
    assert_eq!(fixture.end(lease, crashed()).await, JobState::Queued);
}

pub async fn repeated_crashes_on_one_worker_cost_one_attempt(fixture: Fixture) {
    let fleet = Fleet::new(fixture).await;
    fleet.fixture.one_job(json!({ "max_attempts": 2 })).await;
    for _ in 0..4 {
        assert_eq!(fleet.crash(&fleet.here).await, JobState::Queued);
        fleet.later(BACKOFF_MS).await;
        assert_eq!(fleet.claim(&fleet.here).await, None);
        // The other worker has been busy for too long.
        fleet.later(LONGEST_WAIT_FOR_PLACE_MS).await;
    }
    assert_eq!(
        fleet.crash(&fleet.there).await,
        JobState::Failed,
        "a crash on every worker counts against the job"
    );
}

pub async fn a_job_that_crashed_on_every_worker_can_be_claimed_by_any(fixture: Fixture) {
    let fleet = Fleet::new(fixture).await;
    fleet.fixture.one_job(json!({ "max_attempts": 4 })).await;
    for (slot, state) in [
        (&fleet.here, JobState::Queued),
        (&fleet.there, JobState::Queued),
        (&fleet.there, JobState::Queued),
        (&fleet.here, JobState::Failed),
    ] {
        assert_eq!(fleet.crash(slot).await, state);
        fleet.later(300_000).await;
    }
}

pub async fn a_claim_that_lost_a_race_skips_jobs_that_failed_at_its_slot(fixture: Fixture) {
    let fleet = Fleet::new(fixture).await;
    let failed = fleet.fixture.one_job(json!({ "max_attempts": 100 })).await;
    fleet.crash(&fleet.here).await;
    fleet.later(BACKOFF_MS).await;
    for _ in 0..20 {
        let first = fleet.fixture.one_job(json!({ "priority": 1 })).await;
        let here = || fleet.claim(&fleet.here);
        let (a, b, c, d) = tokio::join!(here(), here(), here(), here());
        let taken: Vec<_> = [a, b, c, d].into_iter().flatten().collect();
        assert!(taken.iter().all(|lease| lease.job != failed), "{taken:?}");
        assert!(taken.len() == 1 && taken[0].job == first, "{taken:?}");
        fleet.fixture.end(taken[0], failed_for_good()).await;
    }
}

fn failed_for_good() -> AttemptEnd {
    failed(EndReason::UserError)
}

pub async fn a_slot_claims_no_job_with_a_data_set_that_it_lacks(fixture: Fixture) {
    let mnist = fixture.one_job(json!({ "train": { "data": { "name": "mnist" } } })).await;
    let digits = fixture.one_job(json!({})).await;
    let claim = async |lacking: &[&str]| {
        let lacking: Vec<String> = lacking.iter().map(|&name| name.to_owned()).collect();
        let claim = fixture.store.claim_without(&fixture.slot, LEASE_MS, &lacking).await.unwrap();
        claim.map(|claim| claim.lease.job)
    };
    assert_eq!(claim(&["mnist", "digits"]).await, None);
    assert_eq!(claim(&["cifar-10", "mnist"]).await, Some(digits));
    assert_eq!(claim(&["mnist"]).await, None);
    assert_eq!(claim(&[]).await, Some(mnist));
}
