//! Final figures of jobs, for comparisons and SQL.

use optlab::store::{JobFigures, LastEvaluations};
use optlab_domain::{Action, EndReason, HeldOut, JobId, JobState, Lease};
use optlab_spec::protocol::{Environment, Point};
use serde_json::json;

use crate::fixture::{Fixture, LEASE_MS, STEPS, crashed, environment, failed, finished, point};

async fn record(fixture: &Fixture, lease: Lease, series: &str, points: &[(u64, f64)]) {
    let points: Vec<Point> = points
        .iter()
        .map(|&(step, value)| Point { series: series.to_owned(), ..point(step, value) })
        .collect();
    fixture.store.record(lease, &points, None, LEASE_MS).await.unwrap();
}

/// Claims the next job and completes it with this accuracy.
async fn succeed(fixture: &Fixture, accuracy: f64) -> JobId {
    let lease = fixture.claim().await.unwrap();
    fixture.start(lease, 0).await;
    record(fixture, lease, "test/accuracy", &[(0, 10.0), (STEPS, accuracy)]).await;
    assert_eq!(fixture.end(lease, finished()).await, JobState::Succeeded);
    lease.job
}

async fn figures(fixture: &Fixture, job: JobId) -> JobFigures {
    let experiment = fixture.job(job).await.record.experiment_id;
    let all = fixture.store.figures(experiment).await.unwrap();
    all.into_iter().find(|figures| figures.job_id == job).unwrap()
}

pub async fn a_succeeded_job_stores_its_figures(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    fixture.start(lease, 0).await;
    record(&fixture, lease, "test/accuracy", &[(0, 10.0), (40, 98.5), (100, 97.0)]).await;
    record(&fixture, lease, "validation/accuracy", &[(0, 11.0), (40, 99.5), (100, 98.0)]).await;
    record(&fixture, lease, "energy/mean", &[(0, 1.5), (100, 1.25)]).await;
    let open = figures(&fixture, id).await;
    assert_eq!((open.state, open.test_accuracy, open.energy), (JobState::Running, None, None));
    fixture.end(lease, finished()).await;
    let expected = JobFigures {
        job_id: id,
        arm: "baseline".to_owned(),
        seed: 0,
        state: JobState::Succeeded,
        end_reason: Some(EndReason::Completed),
        error: None,
        test_accuracy: Some(97.0),
        best_test_accuracy: Some(98.5),
        validation_accuracy: Some(98.0),
        best_validation_accuracy: Some(99.5),
        energy: Some(1.25),
        seconds: Some(2.5),
        peak_memory_bytes: Some(4096),
        parameters_trained: Some(10),
    };
    assert_eq!(figures(&fixture, id).await, expected);
    let said = "SELECT count(*) FROM job_summary WHERE test_error = 3.0 AND best_test_accuracy = 98.5
                    AND validation_error = 2.0 AND validation_accuracy = 98.0 AND best_validation_accuracy = 99.5
                    AND energy = 1.25 AND peak_memory_bytes = 4096 AND seconds = 2.5 AND parameters_trained = 10";
    assert_eq!(fixture.count(said).await, 1);
}

pub async fn only_pairs_of_succeeded_jobs_have_differences(fixture: Fixture) {
    let arms = json!([
        { "name": "opt", "method": { "kind": "opt", "transform": "cayley" } },
        { "name": "start", "method": { "kind": "baseline", "init": "orthogonal" } },
        { "name": "plain", "method": { "kind": "baseline" } },
    ]);
    fixture.submit(json!({ "arms": arms, "seeds": [0, 1], "baseline": "plain" })).await;
    succeed(&fixture, 92.0).await;
    let lease = fixture.claim().await.unwrap();
    fixture.end(lease, failed(EndReason::Diverged)).await;
    succeed(&fixture, 90.0).await;
    for accuracy in [95.0, 94.0, 91.0] {
        succeed(&fixture, accuracy).await;
    }
    let all = "SELECT count(*) FROM paired_differences";
    let of = "SELECT count(*) FROM paired_differences WHERE baseline = 'plain'
                  AND (arm = 'opt' AND seed = 0 AND test_error = 8.0 AND baseline_test_error = 10.0 AND difference = -2.0
                       OR arm = 'opt' AND seed = 1 AND difference = -4.0 OR arm = 'start' AND seed = 1 AND difference = -3.0)";
    assert_eq!((fixture.count(all).await, fixture.count(of).await), (3, 3), "a diverged job forms no pair");
    assert_eq!(figures(&fixture, lease.job).await.end_reason, Some(EndReason::Diverged));

    fixture.store.act_on_job(lease.job, Action::Retry).await.unwrap();
    assert_eq!(fixture.count(all).await, 3);
    assert_eq!(succeed(&fixture, 89.0).await, lease.job);
    assert_eq!((fixture.count(all).await, fixture.count(of).await), (4, 3));
    let retried = figures(&fixture, lease.job).await;
    assert_eq!(
        (retried.state, retried.test_accuracy, retried.error),
        (JobState::Succeeded, Some(89.0), None)
    );
}

pub async fn pairs_train_on_the_same_data(fixture: Fixture) {
    let arm = |name: &str, data: serde_json::Value| json!({ "name": name, "method": { "kind": "baseline" }, "train": { "data": data } });
    let arms = [
        arm("plain", json!({})),
        arm("held-out", json!({ "validation": 0.5 })),
        arm("few", json!({ "train_samples": 100 })),
        arm("changed", json!({ "augment": ["pad-crop-zero"] })),
    ];
    fixture.submit(json!({ "arms": arms, "seeds": [0], "baseline": "plain" })).await;
    for _ in 0..4 {
        succeed(&fixture, 90.0).await;
    }
    let all = fixture.count("SELECT count(*) FROM paired_differences").await;
    let changed = fixture.count("SELECT count(*) FROM paired_differences WHERE arm = 'changed'").await;
    assert_eq!((all, changed), (1, 1), "only augmentation keeps the images and their order");
}

pub async fn the_last_evaluations_are_the_last_stored_ones(fixture: Fixture) {
    let id = fixture.one_job(json!({})).await;
    let experiment = fixture.job(id).await.record.experiment_id;
    let lease = fixture.claim().await.unwrap();
    fixture.start(lease, 0).await;
    record(&fixture, lease, "test/accuracy", &[(0, 10.0), (40, 60.0), (80, 90.0), (100, 96.0)]).await;
    record(&fixture, lease, "test/loss", &[(100, 0.5)]).await;
    let last = async |last| {
        fixture.store.last_evaluations(experiment, HeldOut::Test, last).await.unwrap().remove(&id)
    };
    assert_eq!(last(2).await, None, "it has not ended");
    fixture.end(lease, finished()).await;
    let of = |n, first_step, accuracy| Some(LastEvaluations { n, first_step, accuracy });
    assert_eq!(last(1).await, of(1, 100, 96.0));
    assert_eq!(last(3).await, of(3, 40, 82.0));
    assert_eq!(last(9).await, of(4, 0, 64.0));
    let validated = fixture.store.last_evaluations(experiment, HeldOut::Validation, 1).await.unwrap();
    assert!(validated.is_empty(), "{validated:?}");
}

pub async fn a_curve_has_the_environments_of_its_attempts(fixture: Fixture) {
    let id = fixture.one_job(json!({ "max_attempts": 9 })).await;
    let experiment = fixture.job(id).await.record.experiment_id;
    let attempt = async |threads, step| {
        let lease = fixture.claim().await.unwrap();
        let environment = Environment { threads, ..environment() };
        fixture.store.start(lease, &environment, step, STEPS).await.unwrap();
        fixture.end(lease, crashed()).await;
        fixture.clock.advance(300_000);
        let environments = fixture.store.environments(experiment).await.unwrap();
        environments[&id].iter().map(|environment| environment.threads).collect::<Vec<_>>()
    };
    assert_eq!(attempt(1, 0).await, [1]);
    assert_eq!(attempt(2, 30).await, [1, 2]);
    assert_eq!(attempt(3, 0).await, [3], "it has started again");
    // An attempt that dies before it begins leaves no points.
    let lease = fixture.claim().await.unwrap();
    fixture.end(lease, crashed()).await;
    fixture.clock.advance(300_000);
    assert_eq!(attempt(4, 50).await, [3, 4]);
}
