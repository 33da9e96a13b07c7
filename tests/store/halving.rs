//! Early stopping: at each rung, the best trials of an arm go on, and the others end with their figures.

use std::collections::BTreeMap;

use optlab::store::{AttemptEnd, Job};
use optlab_domain::{Action, EndReason, ExperimentId, Hold, JobId, JobState, Phase};
use optlab_spec::JobSpec;
use optlab_spec::protocol::Point;
use serde_json::{Value, json};

use crate::fixture::{Fixture, LEASE_MS, failed, finished, is_conflict, point};

const ACCURACY: &str = "validation/accuracy";

/// Two arms with four trials and two seeds each, and rungs after 20 and 50 of 100 updates.
fn halved() -> Value {
    json!({
        "seeds": [0], "train": { "data": { "validation": 0.2 }, "evaluate_every": 10 },
        "tune": {
            "trials": 4, "seeds": [100, 101], "halving": { "rungs": [0.2, 0.5], "keep": 0.5 },
            "space": { "optimizer.learning_rate": { "from": 0.01, "to": 1.0, "scale": "log" } },
        },
        "arms": [
            { "name": "baseline", "method": { "kind": "baseline" } },
            { "name": "opt", "method": { "kind": "opt", "transform": "cayley" } },
        ],
    })
}

/// Takes the next job to its next rung or its end, with this validation error there, or lets it diverge. Returns its spec
/// and the step.
async fn run_next(fixture: &Fixture, error: impl Fn(&JobSpec) -> Option<f64>) -> Option<(JobSpec, u64)> {
    let claim = fixture.claim_whole().await?;
    let (lease, spec, step) = (claim.lease, claim.spec, claim.stop_at.unwrap_or(100));
    fixture.start(lease, 0).await;
    let end = match (error(&spec), claim.stop_at) {
        (None, _) => failed(EndReason::Diverged),
        (Some(_), Some(step)) => AttemptEnd::AtRung { step, points: vec![(ACCURACY, 1)] },
        (Some(_), None) => finished(),
    };
    let series = if spec.phase() == Phase::Trial { ACCURACY } else { "test/accuracy" };
    let accuracy = 100.0 - error(&spec).unwrap_or(50.0);
    let point = Point { series: series.to_owned(), ..point(step, accuracy) };
    fixture.store.record(lease, &[point], Some(step), LEASE_MS).await.unwrap();
    fixture.end(lease, end).await;
    Some((spec, step))
}

/// Trial 2 is the best of the baseline, then trial 0; in the other arm, it is trial 1, then trial 3.
fn errors(job: &JobSpec) -> Option<f64> {
    let place = match job.arm.as_str() {
        "baseline" => [2.0, 9.0, 1.0, 7.0],
        _ => [9.0, 1.0, 7.0, 2.0],
    };
    Some(place[job.trial.unwrap_or(0) as usize] + if job.seed == 101 { 0.5 } else { 0.0 })
}

/// The state of each trial of an arm, the same for both seeds: how it ended, and its step.
async fn trials(fixture: &Fixture, id: ExperimentId, arm: &str) -> BTreeMap<i64, (Option<EndReason>, i64)> {
    let of_arm = |job: &Job| job.record.arm == arm && job.record.phase == Phase::Trial;
    let jobs = fixture.jobs(id).await.into_iter().filter(of_arm);
    jobs.map(|job| (job.record.trial.unwrap(), (job.record.end_reason, job.record.step))).collect()
}

async fn one(fixture: &Fixture, id: ExperimentId, arm: &str, trial: i64, seed: i64) -> JobId {
    let wanted =
        |job: &Job| (job.record.arm.as_str(), job.record.trial, job.record.seed) == (arm, Some(trial), seed);
    fixture.jobs(id).await.into_iter().find(wanted).unwrap().record.id
}

/// The number of runs of the baseline that have passed its first rung and no other.
async fn passed(fixture: &Fixture, id: ExperimentId) -> usize {
    let jobs = fixture.jobs(id).await;
    jobs.iter().filter(|job| job.record.arm == "baseline" && job.record.rungs_passed == 1).count()
}

const STOPPED: Option<EndReason> = Some(EndReason::StoppedEarly);
const COMPLETED: Option<EndReason> = Some(EndReason::Completed);

pub async fn the_best_trials_of_an_arm_go_on_from_each_rung(fixture: Fixture) {
    let id = fixture.submit(halved()).await;
    let mut rounds = BTreeMap::<String, Vec<(Phase, u64)>>::new();
    while let Some((job, step)) = run_next(&fixture, errors).await {
        rounds.entry(job.arm.clone()).or_default().push((job.phase(), step));
    }
    let trial = |step, runs| vec![(Phase::Trial, step); runs];
    let expected = [trial(20, 8), trial(50, 4), trial(100, 2), vec![(Phase::Confirm, 100)]].concat();
    for arm in ["baseline", "opt"] {
        assert_eq!(rounds[arm], expected, "nobody of {arm} goes on before all have come");
    }
    let ends = trials(&fixture, id, "baseline").await;
    assert_eq!(
        ends.into_values().map(|(reason, _)| reason).collect::<Vec<_>>(),
        [STOPPED, STOPPED, COMPLETED, STOPPED]
    );
    let steps = "SELECT count(*) FROM trial_summary WHERE arm = 'baseline' AND end_reason = 'stopped_early'
                 AND (trial = 0 AND step = 50 OR trial IN (1, 3) AND step = 20) AND steps = 100
                 AND validation_error IS NOT NULL AND state = 'succeeded'";
    assert_eq!(fixture.count(steps).await, 6);
    let choices = fixture.store.choices(id).await.unwrap();
    assert_eq!(choices.iter().map(|choice| choice.trial).collect::<Vec<_>>(), [Some(2), Some(1)]);
    let candidates = &choices[0].candidates.as_ref().unwrap().0;
    let scores: Vec<_> = candidates.iter().map(|one| (one.trial, one.score)).collect();
    assert_eq!(
        scores,
        [(2, Some(1.25)), (0, None), (1, None), (3, None)],
        "a score is that of a complete run"
    );
    let experiment = fixture.store.experiment(id).await.unwrap();
    assert!(experiment.has_ended());
    assert_eq!(experiment.step, experiment.steps, "nothing is left to do");
}

pub async fn a_failed_trial_is_the_worst_at_its_rung_and_cannot_return_after_it(fixture: Fixture) {
    let id = fixture.submit(halved()).await;
    // One run of the best trial diverges: its other run stops at the rung.
    let unlucky = |job: &JobSpec| errors(job).filter(|_| (job.trial, job.seed) != (Some(2), 101));
    for _ in 0..14 {
        run_next(&fixture, unlucky).await.unwrap();
    }
    let lost = one(&fixture, id, "baseline", 2, 101).await;
    assert_eq!(fixture.state(lost).await, JobState::Failed);
    fixture.store.act_on_job(lost, Action::Retry).await.unwrap();
    while passed(&fixture, id).await == 0 {
        run_next(&fixture, unlucky).await.unwrap();
    }
    let ends = trials(&fixture, id, "baseline").await;
    assert_eq!((ends[&0].0, ends[&1].0, ends[&3].0), (None, STOPPED, None), "half of four go on");
    let other = one(&fixture, id, "baseline", 2, 100).await;
    assert_eq!(fixture.job(other).await.record.end_reason, STOPPED);
    is_conflict(fixture.store.act_on_job(lost, Action::Retry).await);
    is_conflict(fixture.store.act_on_job(other, Action::Retry).await);
    let retried = fixture.store.act_on_experiment(id, Action::Retry).await.unwrap();
    assert_eq!(retried, 1, "that of the other arm, whose trials are on their way");
}

pub async fn a_failed_choice_at_a_rung_leaves_nothing_and_many_processes_make_it_once(fixture: Fixture) {
    // The second trial cannot be stopped, as if the process was killed in the middle of the transaction.
    fixture
        .execute("CREATE UNIQUE INDEX fault ON jobs (end_reason) WHERE end_reason = 'stopped_early'")
        .await;
    fixture.submit(halved()).await;
    for _ in 0..16 {
        run_next(&fixture, errors).await.unwrap();
    }
    assert!(run_next(&fixture, errors).await.is_none(), "all wait");
    let count = async |what: &'static str| fixture.count(what).await;
    let waiting = "SELECT count(*) FROM jobs WHERE state = 'queued' AND waits_at = 20 AND rungs_passed = 0";
    let figures = "SELECT count(*) FROM results";
    assert_eq!((count(waiting).await, count(figures).await), (16, 0), "all or nothing");
    assert!(fixture.store.make_choices().await.is_err());
    fixture.execute("DROP INDEX fault").await;

    fixture.race_for_choices().await;
    let passed = "SELECT count(*) FROM jobs WHERE state = 'queued' AND waits_at IS NULL AND rungs_passed = 1";
    assert_eq!((count(waiting).await, count(passed).await, count(figures).await), (0, 8, 8));
}

pub async fn a_rung_waits_for_trials_that_a_person_has_stopped(fixture: Fixture) {
    for (stop, resume) in [(Action::Cancel, Action::Retry), (Action::Pause, Action::Resume)] {
        let id = fixture.submit(halved()).await;
        let waiting = run_next(&fixture, errors).await.unwrap();
        assert_eq!(waiting.1, 20);
        let (before, after) =
            (one(&fixture, id, "baseline", 0, 100).await, one(&fixture, id, "baseline", 3, 101).await);
        for job in [before, after] {
            fixture.store.act_on_job(job, stop).await.unwrap();
        }
        for _ in 0..14 {
            run_next(&fixture, errors).await.unwrap();
        }
        fixture.store.make_choices().await.unwrap();
        assert_eq!(passed(&fixture, id).await, 0, "{stop}");
        fixture.store.act_on_job(before, resume).await.unwrap();
        assert_eq!(fixture.job(before).await.record.waits_at, Some(20), "it has come there already");
        fixture.store.act_on_job(after, resume).await.unwrap();
        while passed(&fixture, id).await == 0 {
            run_next(&fixture, errors).await.unwrap();
        }
        while run_next(&fixture, errors).await.is_some() {}
        assert_eq!(trials(&fixture, id, "baseline").await[&2].0, COMPLETED, "{resume}");
    }
}

pub async fn a_run_without_its_evaluation_at_the_rung_is_trained_again(fixture: Fixture) {
    fixture.submit(halved()).await;
    let claim = fixture.claim_whole().await.unwrap();
    fixture.start(claim.lease, 0).await;
    fixture.record(claim.lease, &[20]).await.unwrap();
    let end = AttemptEnd::AtRung { step: 20, points: claim.spec.points_after(20) };
    assert_eq!(fixture.end(claim.lease, end).await, JobState::Queued);
    let job = fixture.job(claim.lease.job).await;
    assert_eq!((job.record.waits_at, job.attempt_end), (None, Some(EndReason::RunnerCrashed)));
    assert!(job.attempt_error.unwrap().contains("at the end of the attempt"));
}

pub async fn a_rung_that_no_trial_can_pass_holds_the_choice_until_a_retry(fixture: Fixture) {
    let id = fixture.submit(halved()).await;
    // Each trial of the baseline has a failed run, so none has a score.
    let unlucky = |job: &JobSpec| errors(job).filter(|_| job.seed != 101 || job.arm == "opt");
    while run_next(&fixture, unlucky).await.is_some() {}
    let choices = fixture.store.choices(id).await.unwrap();
    assert_eq!(choices.iter().map(|choice| choice.held).collect::<Vec<_>>(), [Some(Hold::Failed), None]);
    let waiting = "SELECT count(*) FROM jobs WHERE arm = 'baseline' AND waits_at = 20 AND state = 'queued'";
    assert_eq!(fixture.count(waiting).await, 4, "nothing is stopped");
    assert_eq!(fixture.store.act_on_experiment(id, Action::Retry).await.unwrap(), 4);
    while run_next(&fixture, errors).await.is_some() {}
    assert_eq!(trials(&fixture, id, "baseline").await[&2].0, COMPLETED);
    assert_eq!(fixture.store.experiment(id).await.unwrap().tuning.unwrap().frozen, 2);
}
