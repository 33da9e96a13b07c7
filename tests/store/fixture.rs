//! A new database, a worker, and the calls that tests share.

use std::sync::Arc;

use optlab::clock::ManualClock;
use optlab::store::{
    self, Artifact, AttemptEnd, Claim, CompleteRun, Job, JobFilter, JobOrder, Memory, OfferedDevice, Origin,
    Slot, Store, StoreError, Submission, TimedPoint,
};
use optlab_domain::{ArtifactKind, Device, EndReason, ExperimentId, JobId, JobState, Lease, Request};
use optlab_spec::protocol::{Environment, Failure, Point, Summary};
use optlab_spec::{ExperimentSpec, submission};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;

use crate::support::postgres::Postgres;
use crate::support::waiting::Patience;

pub const LEASE_MS: i64 = 10_000;

/// Updates of every run.
pub const STEPS: u64 = 100;

/// The initial time of the clock.
pub const BEGIN_MS: i64 = 1_000_000;

/// A store whose clock moves only when the test advances it.
pub struct Fixture {
    pub store: Arc<Store>,
    pub clock: Arc<ManualClock>,
    pub slot: Slot,
    pub url: String,
    /// The folder of the database file, for SQLite.
    _folder: Option<TempDir>,
}

impl Fixture {
    pub async fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        Self::at(format!("sqlite:{}/optlab.db", folder.path().display()), Some(folder)).await
    }

    pub async fn postgres() -> Self {
        Self::at(Postgres::shared().database(), None).await
    }

    /// Another fixture, on the same kind of database.
    pub async fn like(other: &Self) -> Self {
        if other.url.starts_with("sqlite:") { Self::sqlite().await } else { Self::postgres().await }
    }

    async fn at(url: String, folder: Option<TempDir>) -> Self {
        let clock = Arc::new(ManualClock::default());
        clock.advance(BEGIN_MS);
        let store = store::open_with_clock(&url, clock.clone()).await.unwrap();
        let worker =
            store.register_worker("here:1", &[offered("cpu", None)], &Origin::default()).await.unwrap();
        Self { store, clock, slot: Slot { worker, device: Device::Cpu }, url, _folder: folder }
    }

    /// The same database in the view of another process.
    pub async fn other_process(&self) -> Arc<Store> {
        store::open_with_clock(&self.url, self.clock.clone()).await.unwrap()
    }

    /// Lets several processes make the choices that are due, at the same time.
    pub async fn race_for_choices(&self) {
        let mut processes = Vec::new();
        for _ in 0..6 {
            let store = self.other_process().await;
            processes.push(tokio::spawn(async move { store.make_choices().await }));
        }
        for process in processes {
            process.await.unwrap().unwrap();
        }
    }

    /// Runs a statement without the store; returns the number of rows that it wrote.
    pub async fn execute(&self, sql: &'static str) -> u64 {
        if self.url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            return connection.execute(sql).await.unwrap().rows_affected();
        }
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        connection.execute(sql).await.unwrap().rows_affected()
    }

    /// The number that a query returns.
    pub async fn count(&self, sql: &'static str) -> i64 {
        if self.url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            return sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
        }
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
    }

    /// The text that a query returns.
    pub async fn text(&self, sql: &'static str) -> String {
        if self.url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            return sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
        }
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
    }

    /// Submits three arms and the seed 0, with changes; returns the experiment.
    pub async fn submit(&self, changes: Value) -> ExperimentId {
        let sent = sent(changes);
        let (spec, text) = (submission::resolve(&sent).unwrap(), sent.to_string());
        self.store.submit(Submission { text: Some(&text), ..Submission::of(&spec) }).await.unwrap()
    }

    /// Submits an experiment of one job; returns the job.
    pub async fn one_job(&self, changes: Value) -> JobId {
        let arms = json!({ "arms": [{ "name": "baseline", "method": { "kind": "baseline" } }] });
        let experiment = self.submit(optlab_spec::merge(arms, &changes)).await;
        self.jobs(experiment).await[0].record.id
    }

    pub async fn jobs(&self, experiment: ExperimentId) -> Vec<Job> {
        let filter = JobFilter { experiment: Some(experiment), ..JobFilter::default() };
        self.store.jobs(filter, JobOrder::default(), None, 1000).await.unwrap().items
    }

    pub async fn job(&self, id: JobId) -> Job {
        self.store.job(id).await.unwrap()
    }

    pub async fn state(&self, job: JobId) -> JobState {
        self.job(job).await.record.state
    }

    pub async fn claim_whole(&self) -> Option<Claim> {
        self.store.claim(&self.slot, LEASE_MS).await.unwrap()
    }

    pub async fn claim(&self) -> Option<Lease> {
        self.claim_whole().await.map(|claim| claim.lease)
    }

    pub async fn start(&self, lease: Lease, step: u64) {
        self.store.start(lease, &environment(), step, STEPS).await.unwrap();
    }

    pub async fn record(&self, lease: Lease, steps: &[u64]) -> Result<Option<Request>, StoreError> {
        let points: Vec<Point> = steps.iter().map(|&step| point(step, step as f64)).collect();
        self.store.record(lease, &points, steps.last().copied(), LEASE_MS).await
    }

    pub async fn end(&self, lease: Lease, end: AttemptEnd) -> JobState {
        self.store.end(lease, end).await.unwrap()
    }

    /// Every point of a job's curve.
    pub async fn curve(&self, job: JobId, series: &str) -> Vec<TimedPoint> {
        curve(&self.store, job, series).await
    }

    /// The steps at which the job has points.
    pub async fn steps(&self, job: JobId) -> Vec<i64> {
        self.curve(job, "train/loss").await.into_iter().map(|point| point.step).collect()
    }

    /// The jobs that were written since `version`, once there are any. Postgres shows a write only when no earlier
    /// transaction of its server is open, and other tests have transactions on the same server.
    pub async fn jobs_since(&self, version: i64, limit: i64) -> Vec<Job> {
        let mut patience = Patience::until(format!("something is written after version {version}"));
        loop {
            let jobs = self.store.jobs_since(version, limit).await.unwrap();
            if !jobs.is_empty() {
                return jobs;
            }
            patience.again(());
        }
    }
}

pub fn spec(changes: Value) -> ExperimentSpec {
    submission::resolve(&sent(changes)).unwrap()
}

fn sent(changes: Value) -> Value {
    let overrides = optlab_spec::merge(json!({ "seeds": [0], "train": { "steps": STEPS } }), &changes);
    json!({ "recipe": "digits-mlp", "overrides": overrides })
}

pub fn point(step: u64, value: f64) -> Point {
    Point { series: "train/loss".to_owned(), step, value, time_ms: 1 }
}

/// A device with two slots and 1000 bytes of memory, of which `used_bytes` are used; `None` if unknown.
pub fn offered(device: &str, used_bytes: Option<u64>) -> OfferedDevice {
    let memory = used_bytes.map(|used_bytes| Memory { total_bytes: 1000, used_bytes });
    OfferedDevice {
        device: device.to_owned(),
        name: Some(format!("a {device}")),
        slots: 2,
        resting: 0,
        memory,
    }
}

pub fn environment() -> Environment {
    Environment {
        optlab: "0".to_owned(),
        libtorch: "2".to_owned(),
        device: "cpu".to_owned(),
        device_name: "a cpu".to_owned(),
        threads: 1,
    }
}

/// A checkpoint that is named by its step, as an attempt names them.
pub fn checkpoint(lease: Lease, step: i64) -> Artifact {
    Artifact {
        name: format!("checkpoint-{step}"),
        kind: ArtifactKind::Checkpoint,
        attempt: lease.attempt,
        step,
        path: format!("{}/{}/{step}", lease.job, lease.attempt),
        bytes: 3,
        sha256: "ab".repeat(32),
    }
}

/// A complete run without required points.
pub fn complete_run() -> CompleteRun {
    let summary =
        Summary { parameters_trained: 10, seconds: 2.5, peak_memory_bytes: Some(4096), weights: None };
    CompleteRun { summary, points: Vec::new(), missing_files: Vec::new() }
}

pub fn finished() -> AttemptEnd {
    AttemptEnd::Finished(complete_run())
}

pub fn failed(reason: EndReason) -> AttemptEnd {
    AttemptEnd::Failed(Failure::of(reason, format!("it was {reason}")))
}

pub fn crashed() -> AttemptEnd {
    failed(EndReason::RunnerCrashed)
}

#[track_caller]
pub fn is_lost<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::LeaseLost { .. })), "{result:?}");
}

#[track_caller]
pub fn is_conflict<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Conflict(_))), "{result:?}");
}

#[track_caller]
pub fn is_not_found<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::NotFound { .. })), "{result:?}");
}

/// Every point of a job's curve.
pub async fn curve(store: &Store, job: JobId, series: &str) -> Vec<TimedPoint> {
    let experiment = store.job(job).await.unwrap().record.experiment_id;
    let (_, jobs) = store.records(experiment).await.unwrap();
    let record = jobs.iter().find(|exported| exported.record.id == job).unwrap();
    store.points(record, series, -1, i64::MAX).await.unwrap()
}
