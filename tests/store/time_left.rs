//! The estimated time until a job or an experiment has ended, against the times of recorded runs.
//!
//! `recorded_times.json` has the times of every sixtieth update of four runs of 4,680 updates, which shared a GPU with
//! about eleven others throughout and evaluated every 468 updates (docs/results.md, "Fashion-MNIST, CNN-6, on a GPU").

use optlab::store::AttemptEnd;
use optlab_domain::{Action, JobId, Lease};
use optlab_spec::protocol::Point;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fixture::{Fixture, LEASE_MS, environment, point};

/// The largest factor between the estimated and the true time.
const FACTOR: f64 = 1.5;
const UPDATES: u64 = 4680;

#[derive(Deserialize)]
struct Run {
    arm: String,
    steps: Vec<u64>,
    ms: Vec<i64>,
}

impl Run {
    fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("recorded_times.json")).unwrap()
    }

    /// Records the points after `start`, and checks the estimates from a tenth of the rest on.
    async fn replay(&self, fixture: &Fixture, lease: Lease, start: u64) {
        let (end, from) = (self.ms[self.ms.len() - 1], start + (UPDATES - start) / 10);
        for (&step, &time_ms) in self.steps.iter().zip(&self.ms).filter(|(step, _)| **step > start) {
            let points = [Point { time_ms, ..point(step, 1.0) }];
            fixture.store.record(lease, &points, Some(step), LEASE_MS).await.unwrap();
            let left = (end - time_ms) as f64 / 1000.0;
            if step < from || step == UPDATES {
                continue;
            }
            let estimated = fixture.job(lease.job).await.seconds_left().expect("a pace is known");
            assert!(estimated > 0.0, "{estimated}");
            let factor = f64::max(estimated / left, left / estimated);
            assert!(factor < FACTOR, "{} at {step}: {estimated} s estimated, {left} s true", self.arm);
        }
    }
}

async fn start(fixture: &Fixture, lease: Lease, step: u64) {
    fixture.store.start(lease, &environment(), step, UPDATES).await.unwrap();
}

async fn one_long_job(fixture: &Fixture) -> JobId {
    fixture.one_job(json!({ "train": { "steps": UPDATES, "epochs": null } })).await
}

pub async fn the_time_left_of_recorded_runs_is_right_after_a_tenth(fixture: Fixture) {
    for run in Run::all() {
        one_long_job(&fixture).await;
        let lease = fixture.claim().await.unwrap();
        start(&fixture, lease, 0).await;
        assert_eq!(fixture.job(lease.job).await.seconds_left(), None, "nothing has been trained");
        run.replay(&fixture, lease, 0).await;
        fixture.store.act_on_job(lease.job, Action::Cancel).await.unwrap();
    }
}

pub async fn trials_that_stop_early_take_less_time(fixture: Fixture) {
    let run = &Run::all()[0];
    let data = json!({ "validation": 0.2 });
    let train = json!({ "steps": UPDATES, "epochs": null, "evaluate_every": 468, "data": data });
    let tune = |halving: Value| {
        json!({
            "trials": 4, "seeds": [100], "halving": halving,
            "space": { "optimizer.learning_rate": { "from": 0.1, "to": 1.0, "scale": "log" } },
        })
    };
    let arms = json!([{ "name": "baseline", "method": { "kind": "baseline" } }]);
    let mut left = Vec::new();
    for halving in [json!(null), json!({ "rungs": [0.5], "keep": 0.5 })] {
        let spec = json!({ "train": train, "arms": arms, "seeds": [0], "tune": tune(halving) });
        let experiment = fixture.submit(spec).await;
        let lease = fixture.claim().await.unwrap();
        start(&fixture, lease, 0).await;
        for (&step, &time_ms) in run.steps.iter().zip(&run.ms).take_while(|(step, _)| **step <= UPDATES / 2) {
            let points = [Point { time_ms, ..point(step, 1.0) }];
            fixture.store.record(lease, &points, Some(step), LEASE_MS).await.unwrap();
        }
        left.push(fixture.store.experiment(experiment).await.unwrap().eta_seconds.unwrap());
        fixture.store.act_on_experiment(experiment, Action::Cancel).await.unwrap();
        fixture.end(lease, AttemptEnd::HandedBack).await;
    }
    // Runs: half of one, three and one to confirm; with the rung, a quarter, three times three quarters and one.
    let (whole, halved) = (4.5, 0.25 + 3.0 * 0.75 + 1.0);
    assert!((left[0] / left[1] - whole / halved).abs() < 1e-6, "{left:?}");
}

pub async fn a_resumed_run_is_measured_from_where_it_resumed(fixture: Fixture) {
    for run in Run::all() {
        one_long_job(&fixture).await;
        let lease = fixture.claim().await.unwrap();
        start(&fixture, lease, 0).await;
        // The first attempt was a hundred times as slow.
        for step in [60, 1200] {
            let points = [Point { time_ms: -100_000 + step as i64 * 50, ..point(step, 1.0) }];
            fixture.store.record(lease, &points, Some(step), LEASE_MS).await.unwrap();
        }
        start(&fixture, lease, 1200).await;
        run.replay(&fixture, lease, 1200).await;
        fixture.store.act_on_job(lease.job, Action::Cancel).await.unwrap();
    }
}

pub async fn the_time_left_of_an_experiment_is_that_of_its_jobs(fixture: Fixture) {
    let run = &Run::all()[0];
    let train = json!({ "steps": UPDATES, "epochs": null });
    let arms = json!([{ "name": "baseline", "method": { "kind": "baseline" } }]);
    let experiment = fixture.submit(json!({ "train": train, "arms": arms, "seeds": [0, 1, 2] })).await;
    let left = async || fixture.store.experiment(experiment).await.unwrap().eta_seconds;
    assert_eq!(left().await, None, "nothing runs");
    let lease = fixture.claim().await.unwrap();
    start(&fixture, lease, 0).await;
    assert_eq!(left().await, None, "no pace is known");
    for (&step, &time_ms) in run.steps.iter().zip(&run.ms).take_while(|(step, _)| **step <= UPDATES / 2) {
        fixture
            .store
            .record(lease, &[Point { time_ms, ..point(step, 1.0) }], Some(step), LEASE_MS)
            .await
            .unwrap();
    }
    let of_job = fixture.job(lease.job).await.seconds_left().unwrap();
    // On one slot, two whole runs follow the second half of this one.
    let of_all = left().await.unwrap();
    assert!((of_all / of_job - 5.0).abs() < 1e-6, "{of_all} and {of_job}");
    fixture.store.act_on_job(lease.job, Action::Pause).await.unwrap();
    assert_eq!(left().await, None, "the running job is about to pause");
}
