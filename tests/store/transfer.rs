//! Imports: atomic, and never queued.

use optlab::store::{CurveBatch, ExperimentRecord, ExportedJob, Import, StoreError, TimedPoint};
use optlab_domain::{Action, ExperimentId, JobId, JobState, WorkerId};
use optlab_spec::protocol::Point;
use serde_json::json;
use tokio::sync::mpsc;

use crate::fixture::{Fixture, LEASE_MS, crashed, finished, is_conflict, is_not_found, point};
use crate::support::waiting::Patience;

/// Enough points for levels of detail, and not a multiple of a statement's rows.
const POINTS: u64 = 2_345;

/// A job that crashed once, one that runs, and one that waits.
async fn experiment(fixture: &Fixture) -> ExperimentId {
    let experiment = fixture.submit(json!({ "train": { "steps": POINTS } })).await;
    let lease = fixture.claim().await.unwrap();
    fixture.end(lease, crashed()).await;
    fixture.clock.advance(1_000);
    let lease = fixture.claim().await.unwrap();
    fixture.start(lease, 0).await;
    let loss: Vec<Point> = (1..=POINTS).map(|step| point(step, 1.0 / step as f64)).collect();
    fixture.store.record(lease, &loss, Some(POINTS), LEASE_MS).await.unwrap();
    let accuracy = Point { series: "test/accuracy".to_owned(), ..point(POINTS, 97.1) };
    fixture.store.record(lease, &[accuracy], None, LEASE_MS).await.unwrap();
    fixture.end(lease, finished()).await;
    fixture.claim().await.unwrap();
    experiment
}

async fn read(fixture: &Fixture, experiment: ExperimentId) -> (Import, Vec<CurveBatch>) {
    let (experiment, jobs) = fixture.store.records(experiment).await.unwrap();
    let mut batches = Vec::new();
    for (place, job) in jobs.iter().enumerate() {
        for series in fixture.store.series_of_job(job.record.id).await.unwrap() {
            let points = fixture.store.points(job, &series.name, -1, 1 << 20).await.unwrap();
            batches.push(CurveBatch { job: place, series: series.name, points });
        }
    }
    let series = ["test/accuracy", "train/loss"].map(str::to_owned).to_vec();
    (Import { experiment, jobs, series, points: POINTS + 1 }, batches)
}

async fn import(
    fixture: &Fixture,
    import: &Import,
    batches: &[CurveBatch],
) -> Result<ExperimentId, StoreError> {
    let (sender, points) = mpsc::channel(batches.len().max(1));
    for batch in batches {
        sender.send(batch.clone()).await.unwrap();
    }
    drop(sender);
    fixture.store.import(import, points).await
}

/// The record without the ids of its server.
fn without_ids(job: &ExportedJob) -> ExportedJob {
    let mut job = ExportedJob { version: 0, ..job.clone() };
    (job.record.id, job.record.experiment_id) = (JobId::from(0), ExperimentId::from(0));
    job.attempts.iter_mut().for_each(|attempt| attempt.worker_id = WorkerId::from(0));
    job
}

pub async fn an_import_is_atomic(fixture: Fixture) {
    let original = experiment(&fixture).await;
    let (whole, batches) = read(&fixture, original).await;
    assert_eq!(batches.iter().map(|batch| batch.points.len()).sum::<usize>(), POINTS as usize + 1);
    let broken = import(&fixture, &whole, &batches[..1]).await;
    assert!(matches!(broken, Err(StoreError::BrokenOff)), "{broken:?}");
    assert_eq!(fixture.store.experiments(None, 10).await.unwrap().items.len(), 1);
    assert_eq!(fixture.execute("DELETE FROM jobs WHERE experiment_id > 1").await, 0);

    let id = import(&fixture, &whole, &batches).await.unwrap();
    let (copy, copied) = read(&fixture, id).await;
    assert_eq!(copied, batches);
    assert_eq!(ExperimentRecord { id: original, ..copy.experiment }, whole.experiment);
    let ended = |jobs: &[ExportedJob]| {
        let ended = jobs.iter().filter(|job| job.record.state == JobState::Succeeded);
        ended.map(without_ids).collect::<Vec<_>>()
    };
    assert_eq!(ended(&copy.jobs), ended(&whole.jobs));
    assert_eq!(
        (ended(&copy.jobs)[0].attempts.len(), ended(&copy.jobs)[0].results.test_accuracy),
        (2, Some(97.1))
    );
    assert_ne!(
        fixture.execute("UPDATE condensed_curves SET width = width WHERE job_id > 3").await,
        0,
        "it is long"
    );
    is_not_found(fixture.store.records(ExperimentId::from(99)).await);
}

pub async fn jobs_that_had_not_ended_are_imported_as_cancelled(fixture: Fixture) {
    let original = experiment(&fixture).await;
    let (whole, batches) = read(&fixture, original).await;
    let id = import(&fixture, &whole, &batches).await.unwrap();
    let (copy, _) = read(&fixture, id).await;
    let states = copy.jobs.iter().map(|job| (job.record.state, job.record.error.as_deref()));
    let was = |state: &'static str| (JobState::Cancelled, Some(state));
    assert_eq!(
        states.collect::<Vec<_>>(),
        [
            (JobState::Succeeded, None),
            was("was running when it was exported"),
            was("was queued when it was exported")
        ]
    );
    assert!(copy.jobs[1].attempts[0].ended_ms.is_some());
    // Only the original's job can be claimed.
    assert_eq!(fixture.claim().await.unwrap().job, whole.jobs[2].record.id);
    assert!(fixture.claim().await.is_none());
    // After a retry, it starts again and its points are deleted.
    fixture.store.act_on_job(copy.jobs[2].record.id, Action::Retry).await.unwrap();
    assert_eq!(fixture.claim().await.unwrap().job, copy.jobs[2].record.id);
    // The points that were read stay the same when the job resumes.
    let (again, batches) = read(&fixture, id).await;
    let next = import(&fixture, &again, &batches).await.unwrap();
    let (next, _) = read(&fixture, next).await;
    assert_eq!(without_ids(&next.jobs[1]), without_ids(&copy.jobs[1]));
}

pub async fn an_export_detects_a_new_attempt(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    fixture.record(lease, &[1, 2, 3]).await.unwrap();
    let experiment = fixture.store.job(id).await.unwrap().record.experiment_id;
    let now = async || fixture.store.records(experiment).await.unwrap().1.remove(0);
    let steps = async |job: &ExportedJob, after, limit| {
        let points = fixture.store.points(job, "train/loss", after, limit).await?;
        Ok::<_, StoreError>(points.iter().map(|point| point.step).collect::<Vec<_>>())
    };
    let running = now().await;
    assert_eq!(steps(&running, -1, 2).await.unwrap(), [1, 2]);
    assert_eq!(steps(&running, 2, 2).await.unwrap(), [3]);
    fixture.end(lease, crashed()).await;
    assert_eq!(steps(&running, -1, 9).await.unwrap(), [1, 2, 3]);
    fixture.clock.advance(1_000);
    let lease = fixture.claim().await.unwrap();
    is_conflict(steps(&running, -1, 9).await);
    let second = now().await;
    let exact = TimedPoint { step: 3, value: 3.0, time_ms: 1 };
    assert_eq!(fixture.store.points(&second, "train/loss", 2, 9).await.unwrap(), [exact]);

    fixture.record(lease, &[4, 5]).await.unwrap();
    fixture.end(lease, finished()).await;
    let ended = now().await;
    assert_eq!(steps(&ended, -1, 9).await.unwrap(), [1, 2, 3, 4, 5]);
    fixture.store.thin(experiment, 3).await.unwrap();
    is_conflict(steps(&ended, -1, 9).await);
    assert_eq!(steps(&now().await, -1, 9).await.unwrap(), [1, 4, 5]);
}

/// Another process that starts must not remove the points of a running import.
#[tokio::test]
async fn other_processes_keep_the_points_of_a_running_import() {
    let fixture = Fixture::sqlite().await;
    let original = experiment(&fixture).await;
    let (whole, batches) = read(&fixture, original).await;
    let (sender, points) = mpsc::channel(1);
    let (store, record) = (fixture.store.clone(), whole.clone());
    let importing = tokio::spawn(async move { store.import(&record, points).await });
    let staged = "SELECT count(*) FROM metric_points WHERE job_id NOT IN (SELECT id FROM jobs)";
    sender.send(batches[0].clone()).await.unwrap();
    let mut patience = Patience::until("the first points wait for their jobs");
    while fixture.count(staged).await == 0 {
        patience.again(());
    }
    fixture.other_process().await.remove_unfinished_imports().await.unwrap();
    assert!(fixture.count(staged).await > 0);
    for batch in &batches[1..] {
        sender.send(batch.clone()).await.unwrap();
    }
    drop(sender);
    importing.await.unwrap().unwrap();
    assert_eq!(fixture.store.experiments(None, 10).await.unwrap().items.len(), 2);

    // The points of a dead import are removed.
    fixture.execute("PRAGMA foreign_keys = OFF; INSERT INTO metric_points VALUES (777, 1, 1, 1.0, 1)").await;
    fixture.store.remove_unfinished_imports().await.unwrap();
    assert_eq!(fixture.count(staged).await, 0);

    // The points of a completed import are kept.
    let id = import(&fixture, &whole, &batches).await.unwrap();
    fixture.store.remove_unfinished_imports().await.unwrap();
    assert_eq!(read(&fixture, id).await.1, batches);
}
