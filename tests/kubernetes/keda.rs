//! What KEDA starts over the life of a queue. The queries are those of the manifests, on a real Postgres.

use std::sync::Arc;

use optlab::store::{self, AttemptEnd, CompleteRun, Origin, Slot, Store, Submission};
use optlab_domain::{Action, Device, EndReason, ExperimentId, JobState, Lease, WorkerId};
use optlab_spec::protocol::{Failure, Summary};
use optlab_spec::submission;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::manifests::manifest;
use crate::support::postgres::Postgres;

const LEASE_MS: i64 = 600_000;

/// A pod that has been started and has not ended. Its worker registers when its container runs.
struct Pod {
    worker: Option<WorkerId>,
}

/// A `ScaledJob` and its pods.
struct ScaledJob {
    url: String,
    device: Device,
    query: String,
    /// Jobs per pod.
    target: f64,
    /// The most pods.
    most: f64,
    pods: Vec<Pod>,
}

impl ScaledJob {
    fn new(url: &str, device: Device) -> Self {
        let spec = &manifest("ScaledJob", &device.kind().to_string())["spec"];
        let trigger = &spec["triggers"][0]["metadata"];
        Self {
            url: url.to_owned(),
            device,
            query: trigger["query"].as_str().unwrap().to_owned(),
            target: trigger["targetQueryValue"].as_str().unwrap().parse().unwrap(),
            most: spec["maxReplicaCount"].as_f64().unwrap(),
            pods: Vec::new(),
        }
    }

    /// Starts pods as KEDA does every few seconds with the default strategy: as many as the number of jobs requires, at
    /// most `maxReplicaCount`, less those that have not ended. Returns how many were started.
    async fn poll(&mut self) -> usize {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        let query = sqlx::query_scalar(AssertSqlSafe(self.query.clone()));
        let jobs: i64 = query.fetch_one(&mut connection).await.unwrap();
        let wanted = (jobs as f64 / self.target).min(self.most).ceil() as usize;
        let started = wanted.saturating_sub(self.pods.len());
        self.pods.extend((0..started).map(|_| Pod { worker: None }));
        assert!(self.pods.len() as f64 <= self.most);
        started
    }

    async fn execute(&self, sql: &'static str) {
        PgConnection::connect(&self.url).await.unwrap().execute(sql).await.unwrap();
    }

    /// The worker of a pod registers.
    async fn run(&mut self, store: &Store, pod: usize) -> Slot {
        let worker = store.register_worker(&format!("pod-{pod}:1"), &[], &Origin::default()).await.unwrap();
        self.execute("UPDATE workers SET engine = 'kubernetes' WHERE name LIKE 'pod-%'").await;
        self.pods[pod].worker = Some(worker);
        Slot { worker, device: self.device }
    }

    /// The pod of this worker ends.
    async fn end(&mut self, store: &Store, slot: &Slot) {
        store.deregister_worker(slot.worker).await.unwrap();
        self.pods.retain(|pod| pod.worker != Some(slot.worker));
    }
}

async fn submit(store: &Store, device: &str, seeds: usize) -> ExperimentId {
    let seeds: Vec<usize> = (0..seeds).collect();
    let arms = json!([{ "name": "baseline", "method": { "kind": "baseline" } }]);
    let overrides = json!({ "seeds": seeds, "arms": arms, "resources": { "device": device } });
    let spec = submission::resolve(&json!({ "recipe": "digits-mlp", "overrides": overrides })).unwrap();
    store.submit(Submission::of(&spec)).await.unwrap()
}

async fn claim(store: &Store, slot: &Slot) -> Option<Lease> {
    store.claim(slot, LEASE_MS).await.unwrap().map(|claim| claim.lease)
}

fn succeeded() -> AttemptEnd {
    let summary = Summary { parameters_trained: 1, seconds: 1.0, peak_memory_bytes: None, weights: None };
    AttemptEnd::Finished(CompleteRun { summary, points: Vec::new(), missing_files: Vec::new() })
}

fn crashed() -> AttemptEnd {
    AttemptEnd::Failed(Failure::of(EndReason::RunnerCrashed, "it crashed"))
}

#[tokio::test]
async fn pods_follow_the_queue() {
    let url = Postgres::shared().database();
    let store: Arc<Store> = store::open(&url).await.unwrap();
    let (mut cpu, mut cuda) = (ScaledJob::new(&url, Device::Cpu), ScaledJob::new(&url, Device::Cuda(0)));
    assert_eq!((cpu.target, cuda.target, cpu.most), (1.0, 4.0, 20.0));
    assert_eq!((cpu.poll().await, cuda.poll().await), (0, 0), "the queue is empty");

    // Jobs for any device count once.
    let any = submit(&store, "any", 2).await;
    submit(&store, "cpu", 1).await;
    submit(&store, "cuda", 4).await;
    assert_eq!((cpu.poll().await, cuda.poll().await), (3, 1));
    assert_eq!((cpu.poll().await, cuda.poll().await), (0, 0), "pending pods are counted");

    // Their jobs still count while they run, so that nothing is started for them or instead of them.
    let mut slots = Vec::new();
    let mut leases = Vec::new();
    for pod in 0..3 {
        let slot = cpu.run(&store, pod).await;
        leases.push(claim(&store, &slot).await.unwrap());
        slots.push(slot);
        assert_eq!(cpu.poll().await, 0, "{pod} of 3 run");
    }

    // A worker that no engine started takes a job before KEDA looks.
    let permanent = store.register_worker("permanent:1", &[], &Origin::default()).await.unwrap();
    let permanent = Slot { worker: permanent, device: Device::Cpu };
    submit(&store, "any", 1).await;
    let elsewhere = claim(&store, &permanent).await.unwrap();
    assert_eq!(cpu.poll().await, 0, "its job needs no pod");

    // A pod whose job waits after a crash is idle and ends; the job gets a new one when its delay is over.
    assert_eq!(store.end(leases[0], crashed()).await.unwrap(), JobState::Queued);
    cpu.end(&store, &slots[0]).await;
    cpu.execute(
        "UPDATE jobs SET not_before_ms = not_before_ms + 60000 WHERE state = 'queued' AND attempt = 1",
    )
    .await;
    assert_eq!(cpu.poll().await, 0, "the delay is not over");
    cpu.execute(
        "UPDATE jobs SET not_before_ms = not_before_ms - 90000 WHERE state = 'queued' AND attempt = 1",
    )
    .await;
    assert_eq!((cpu.poll().await, cpu.pods.len(), cpu.poll().await), (1, 3, 0));

    // A pod is evicted: it hands its job back, and a new one is started.
    store.end(leases[1], AttemptEnd::HandedBack).await.unwrap();
    assert_eq!(cpu.poll().await, 0, "the pod still drains");
    cpu.end(&store, &slots[1]).await;
    assert_eq!(cpu.poll().await, 1);

    // A paused experiment needs no pods; one that has started meanwhile is idle and ends.
    store.act_on_experiment(any, Action::Pause).await.unwrap();
    let idle = cpu.pods.len();
    assert_eq!((idle, cpu.poll().await), (3, 0));
    cpu.pods.retain(|pod| pod.worker.is_some());
    assert_eq!((cpu.pods.len(), cpu.poll().await), (1, 0));
    store.act_on_experiment(any, Action::Resume).await.unwrap();
    assert_eq!(cpu.poll().await, 2);

    // More jobs than the cluster may have pods.
    let many = submit(&store, "cpu", 50).await;
    assert_eq!((cpu.poll().await, cpu.pods.len()), (17, 20));
    assert_eq!(cpu.poll().await, 0);
    store.act_on_experiment(many, Action::Cancel).await.unwrap();

    // Everything ends.
    for lease in [leases[2], elsewhere] {
        store.end(lease, succeeded()).await.unwrap();
    }
    let slot = cpu.run(&store, 1).await;
    while let Some(lease) = claim(&store, &slot).await {
        assert_eq!(cpu.poll().await, 0);
        store.end(lease, succeeded()).await.unwrap();
    }
    let slot = cuda.run(&store, 0).await;
    while let Some(lease) = claim(&store, &slot).await {
        assert_eq!(cuda.poll().await, 0);
        store.end(lease, succeeded()).await.unwrap();
    }
    cpu.pods.clear();
    cuda.pods.clear();
    assert_eq!((cpu.poll().await, cuda.poll().await), (0, 0));
}
