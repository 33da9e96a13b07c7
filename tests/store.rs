//! One suite for every database: the promises of the store, with a clock that the test sets.

use std::sync::Arc;
use std::time::Duration;

use optlab::clock::ManualClock;
use optlab::store::{
    self, AttemptEnd, JobFilter, JobState, Lease, Slot, Store, StoreError, Submission, Wish,
};
use optlab::worker::Reaper;
use optlab_spec::protocol::{EndReason, Environment, Failure, Point, Summary};
use optlab_spec::{ExperimentSpec, submission};
use serde_json::json;
use tempfile::TempDir;

const LEASE_MS: i64 = 10_000;

struct Fixture {
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    slot: Slot,
    folder: TempDir,
}

async fn fixture() -> Fixture {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::default());
    clock.advance(1_000_000);
    let url = format!("sqlite:{}/optlab.db", folder.path().display());
    let store = store::open_with_clock(&url, clock.clone()).await.unwrap();
    let worker = store.register_worker("here:1", &["cpu".to_owned()]).await.unwrap();
    Fixture { store, clock, slot: Slot { worker, device: "cpu".to_owned() }, folder }
}

fn spec(changes: serde_json::Value) -> ExperimentSpec {
    let overrides = optlab_spec::merge(json!({ "seeds": [0] }), &changes);
    submission::from_recipe("digits-mlp", &overrides).unwrap()
}

impl Fixture {
    async fn submit(&self, changes: serde_json::Value) -> i64 {
        self.store.submit(Submission { spec: &spec(changes), idempotency: None }).await.unwrap()
    }

    /// One experiment of one job.
    async fn one_job(&self) -> i64 {
        let arms = json!([{ "name": "baseline", "method": { "kind": "baseline" } }]);
        self.submit(json!({ "arms": arms, "max_attempts": 2 })).await
    }

    async fn claim(&self) -> Option<Lease> {
        self.store.claim(&self.slot, LEASE_MS).await.unwrap().map(|claim| claim.lease)
    }

    async fn record(&self, lease: Lease, steps: &[u64]) -> Result<Option<Wish>, StoreError> {
        let points: Vec<Point> = steps.iter().map(|&step| point(step, step as f64)).collect();
        self.store.record(lease, &points, steps.last().copied(), LEASE_MS).await
    }

    async fn steps(&self, job: i64) -> Vec<i64> {
        self.store.curve(job, "train/loss", -1).await.unwrap().into_iter().map(|point| point.step).collect()
    }

    async fn state(&self, job: i64) -> JobState {
        self.store.job(job).await.unwrap().state
    }
}

fn point(step: u64, value: f64) -> Point {
    Point { series: "train/loss".to_owned(), step, value, time_ms: 1 }
}

fn environment() -> Environment {
    Environment {
        optlab: "0".to_owned(),
        libtorch: "2".to_owned(),
        device: "cpu".to_owned(),
        device_name: "a cpu".to_owned(),
        threads: 1,
    }
}

fn finished() -> AttemptEnd {
    AttemptEnd::Finished(Summary { parameters_trained: 10, seconds: 2.5 })
}

fn crashed() -> AttemptEnd {
    let error = "killed".to_owned();
    AttemptEnd::Failed(Failure { reason: EndReason::RunnerCrashed, series: None, step: None, error })
}

fn is_lost<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::LeaseLost { .. })), "{result:?}");
}

#[tokio::test]
async fn a_job_goes_from_the_queue_to_its_figures() {
    let fixture = fixture().await;
    let experiment = fixture.one_job().await;
    let lease = fixture.claim().await.unwrap();
    assert!(fixture.claim().await.is_none(), "a job is claimed once");
    fixture.store.start(lease, &environment(), 0, 100).await.unwrap();
    fixture.record(lease, &[0, 50]).await.unwrap();
    let accuracy = Point { series: "test/accuracy".to_owned(), ..point(100, 97.5) };
    fixture.store.record(lease, &[accuracy], Some(100), LEASE_MS).await.unwrap();
    assert_eq!(fixture.store.end(lease, finished()).await.unwrap(), JobState::Succeeded);
    is_lost(fixture.record(lease, &[101]).await);
    // The worker may not have got the answer: the same end again is the same end, another one is refused.
    assert_eq!(fixture.store.end(lease, finished()).await.unwrap(), JobState::Succeeded);
    is_lost(fixture.store.end(lease, crashed()).await);
    let figures = fixture.store.figures(experiment).await.unwrap();
    assert_eq!((figures[0].test_error, figures[0].seconds), (Some(2.5), Some(2.5)));
    let job = fixture.store.job(lease.job).await.unwrap();
    assert_eq!((job.step, job.end_reason.as_deref(), job.attempt), (100, Some("completed"), 1));
}

#[tokio::test]
async fn a_lost_worker_can_write_nothing_more() {
    let fixture = fixture().await;
    fixture.one_job().await;
    let old = fixture.claim().await.unwrap();
    fixture.store.start(old, &environment(), 0, 100).await.unwrap();
    fixture.record(old, &[1, 2, 3]).await.unwrap();
    fixture.clock.advance(LEASE_MS);
    assert!(fixture.store.reap().await.unwrap().is_empty(), "the lease is not over yet");
    fixture.clock.advance(1);
    assert_eq!(fixture.store.reap().await.unwrap(), [old]);
    assert_eq!(fixture.state(old.job).await, JobState::Queued);
    is_lost(fixture.record(old, &[4]).await);

    let new = fixture.claim().await.unwrap();
    assert_eq!((new.job, new.attempt), (old.job, 2));
    is_lost(fixture.record(old, &[4]).await);
    is_lost(fixture.store.end(old, crashed()).await);
    // What the first attempt wrote stays until the second begins to write its own.
    assert_eq!(fixture.steps(old.job).await, [1, 2, 3]);
    fixture.store.start(new, &environment(), 0, 100).await.unwrap();
    assert!(fixture.steps(old.job).await.is_empty());
}

#[tokio::test]
async fn a_reaper_that_could_not_write_gives_everybody_one_more_lease() {
    let fixture = fixture().await;
    fixture.one_job().await;
    let lease = fixture.claim().await.unwrap();
    let duration = Duration::from_millis(LEASE_MS as u64);
    let mut reaper = Reaper::new(fixture.store.clone(), fixture.clock.clone(), duration);
    assert!(reaper.round().await.unwrap().is_empty());
    // The machine sleeps for an hour, and wakes up with every lease over.
    fixture.clock.advance(3_600_000);
    assert!(reaper.round().await.unwrap().is_empty());
    fixture.record(lease, &[1]).await.unwrap();
    for _ in 0..2 {
        fixture.clock.advance(LEASE_MS / 3);
        assert!(reaper.round().await.unwrap().is_empty());
    }
    // From here on nothing is heard of the worker, while this process could write all the time.
    let mut lost = Vec::new();
    for _ in 0..4 {
        fixture.clock.advance(LEASE_MS / 3);
        lost.extend(reaper.round().await.unwrap());
    }
    assert_eq!(lost, [lease]);
}

#[tokio::test]
async fn a_job_that_nobody_can_read_ends_and_says_why() {
    let fixture = fixture().await;
    let experiment = fixture.one_job().await;
    let path = fixture.folder.path().join("optlab.db");
    let sql = "UPDATE jobs SET spec = '{\"arm\": \"baseline\"}'";
    let changed = std::process::Command::new("sqlite3").arg(path).arg(sql).status().unwrap();
    assert!(changed.success());
    assert!(fixture.store.claim(&fixture.slot, LEASE_MS).await.is_err());
    assert!(fixture.claim().await.is_none());
    let filter = JobFilter { experiment: Some(experiment), ..JobFilter::default() };
    let job = fixture.store.jobs(filter, 0, 1).await.unwrap().items.remove(0);
    assert_eq!((job.state, job.end_reason.as_deref()), (JobState::Failed, Some("user_error")));
    assert!(job.error.unwrap().contains("/train: is missing"));
}

#[tokio::test]
async fn recording_prolongs_the_lease_and_repeats_harmlessly() {
    let fixture = fixture().await;
    fixture.one_job().await;
    let lease = fixture.claim().await.unwrap();
    for _ in 0..5 {
        fixture.clock.advance(LEASE_MS - 1);
        fixture.record(lease, &[1, 2]).await.unwrap();
    }
    assert!(fixture.store.reap().await.unwrap().is_empty());
    assert_eq!(fixture.steps(lease.job).await, [1, 2]);
}

#[tokio::test]
async fn a_batch_of_points_is_stored_whole_or_not_at_all() {
    let fixture = fixture().await;
    fixture.one_job().await;
    let lease = fixture.claim().await.unwrap();
    // SQLite turns NaN into NULL, which the column refuses: the good point before it must not stay.
    let result = fixture.store.record(lease, &[point(1, 1.0), point(2, f64::NAN)], Some(2), LEASE_MS).await;
    assert!(result.is_err());
    assert!(fixture.steps(lease.job).await.is_empty());
    assert_eq!(fixture.store.job(lease.job).await.unwrap().step, 0);
}

#[tokio::test]
async fn attempts_are_counted_and_a_retry_by_hand_gives_new_ones() {
    let fixture = fixture().await;
    fixture.one_job().await;
    for (attempt, after) in [(1, JobState::Queued), (2, JobState::Failed)] {
        let lease = fixture.claim().await.unwrap();
        assert_eq!(lease.attempt, attempt);
        assert_eq!(fixture.store.end(lease, crashed()).await.unwrap(), after);
    }
    let job = fixture.store.jobs(JobFilter::default(), 0, 1).await.unwrap().items.remove(0);
    assert_eq!(job.end_reason.as_deref(), Some("runner_crashed"));
    fixture.store.retry_job(job.id).await.unwrap();
    for (attempt, after) in [(3, JobState::Queued), (4, JobState::Failed)] {
        let lease = fixture.claim().await.unwrap();
        assert_eq!(lease.attempt, attempt);
        assert_eq!(fixture.store.end(lease, crashed()).await.unwrap(), after);
    }
}

#[tokio::test]
async fn a_job_handed_back_has_lost_no_attempt() {
    let fixture = fixture().await;
    fixture.one_job().await;
    for _ in 0..5 {
        let lease = fixture.claim().await.unwrap();
        assert_eq!(fixture.store.end(lease, AttemptEnd::HandedBack).await.unwrap(), JobState::Queued);
    }
}

#[tokio::test]
async fn wishes_reach_the_worker_and_impossible_ones_are_refused() {
    let fixture = fixture().await;
    let experiment = fixture.submit(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    assert_eq!(fixture.record(lease, &[1]).await.unwrap(), None);
    fixture.store.cancel_experiment(experiment).await.unwrap();
    assert_eq!(fixture.record(lease, &[2]).await.unwrap(), Some(Wish::Cancel));
    let cancelled =
        Failure { reason: EndReason::Cancelled, series: None, step: None, error: "as wished".to_owned() };
    assert_eq!(fixture.store.end(lease, AttemptEnd::Failed(cancelled)).await.unwrap(), JobState::Cancelled);
    let counts = fixture.store.experiment(experiment).await.unwrap().counts;
    assert_eq!((counts.cancelled, counts.queued), (3, 0));

    fixture.store.retry_experiment(experiment).await.unwrap();
    let lease = fixture.claim().await.unwrap();
    fixture.store.end(lease, finished()).await.unwrap();
    assert!(matches!(fixture.store.cancel_job(lease.job).await, Err(StoreError::Conflict(_))));
    assert!(matches!(fixture.store.retry_job(lease.job).await, Err(StoreError::Conflict(_))));
    assert!(matches!(fixture.store.cancel_job(99).await, Err(StoreError::NotFound { .. })));
}

#[tokio::test]
async fn a_cancelled_job_whose_runner_dies_is_not_tried_again() {
    let fixture = fixture().await;
    fixture.one_job().await;
    let lease = fixture.claim().await.unwrap();
    fixture.store.cancel_job(lease.job).await.unwrap();
    assert_eq!(fixture.store.end(lease, crashed()).await.unwrap(), JobState::Cancelled);
}

#[tokio::test]
async fn the_queue_goes_by_priority_then_age_and_minds_the_device() {
    let fixture = fixture().await;
    let arms = json!([{ "name": "a", "method": { "kind": "baseline" } }]);
    let with = |priority: i64, device: &str| json!({ "arms": arms, "priority": priority, "resources": { "device": device } });
    let low = fixture.submit(with(0, "any")).await;
    let high = fixture.submit(with(5, "any")).await;
    let cuda = fixture.submit(with(9, "cuda")).await;
    let mut order = Vec::new();
    while let Some(claim) = fixture.store.claim(&fixture.slot, LEASE_MS).await.unwrap() {
        order.push(claim.experiment_id);
    }
    assert_eq!(order, [high, low]);
    let gpu = Slot { device: "cuda:1".to_owned(), ..fixture.slot.clone() };
    assert_eq!(fixture.store.claim(&gpu, LEASE_MS).await.unwrap().unwrap().experiment_id, cuda);
}

#[tokio::test]
async fn many_slots_never_share_a_job() {
    let fixture = fixture().await;
    fixture.submit(json!({ "seeds": (0..20).collect::<Vec<_>>() })).await;
    let slots = (0..8).map(|_| {
        let (store, slot) = (fixture.store.clone(), fixture.slot.clone());
        tokio::spawn(async move {
            let mut mine = Vec::new();
            while let Some(claim) = store.claim(&slot, LEASE_MS).await.unwrap() {
                mine.push(claim.lease.job);
            }
            mine
        })
    });
    let mut jobs = Vec::new();
    for slot in slots.collect::<Vec<_>>() {
        jobs.extend(slot.await.unwrap());
    }
    jobs.sort_unstable();
    assert_eq!(jobs.len(), 60);
    jobs.dedup();
    assert_eq!(jobs.len(), 60);
}

#[tokio::test]
async fn every_write_to_a_job_can_be_found_by_its_version() {
    let fixture = fixture().await;
    let before = fixture.store.version().await.unwrap();
    fixture.submit(json!({})).await;
    let jobs = fixture.store.jobs_since(before, 1).await.unwrap();
    assert_eq!(jobs.len(), 3, "jobs of one write come together, whatever the limit");
    let after = fixture.store.version().await.unwrap();
    assert!(fixture.store.jobs_since(after, 10).await.unwrap().is_empty());
    let lease = fixture.claim().await.unwrap();
    let changed = fixture.store.jobs_since(after, 10).await.unwrap();
    assert_eq!(changed.iter().map(|job| job.id).collect::<Vec<_>>(), [lease.job]);
}
