//! Tuned arms: their trials, the choice that is frozen once, and the jobs that confirm it.

use optlab::store::{Candidate, Choice, Experiment, Job};
use optlab_domain::{Action, EndReason, ExperimentId, JobId, JobState, Phase};
use optlab_spec::protocol::Point;
use optlab_spec::{ExperimentSpec, JobSpec};
use serde_json::{Value, json};

use crate::fixture::{Fixture, LEASE_MS, failed, finished, is_conflict, point};
use crate::pools::{claim, lose, start_pilot};

const TRIALS: i64 = 3;

/// Two arms with three trials and two seeds each, and two seeds that confirm.
fn tuned() -> Value {
    json!({
        "seeds": [0, 1], "train": { "data": { "validation": 0.2 } },
        "tune": {
            "trials": TRIALS, "seeds": [100, 101],
            "space": { "optimizer.learning_rate": { "from": 0.01, "to": 1.0, "scale": "log" } },
        },
        "arms": [
            { "name": "baseline", "method": { "kind": "baseline" } },
            { "name": "opt", "method": { "kind": "opt", "transform": "cayley" } },
        ],
    })
}

/// Ends the next job with this validation error, or as diverged. Confirming jobs have a test error of 3 percent.
async fn run_next(fixture: &Fixture, error: impl Fn(&JobSpec) -> Option<f64>) -> Option<JobSpec> {
    let claim = fixture.claim_whole().await?;
    let (lease, spec) = (claim.lease, claim.spec);
    fixture.start(lease, 0).await;
    let end = match (spec.phase(), error(&spec)) {
        (Phase::Trial, None) => failed(EndReason::Diverged),
        (phase, error) => {
            let (series, error) = match phase {
                Phase::Trial => ("validation/accuracy", error.unwrap_or_default()),
                Phase::Confirm => ("test/accuracy", 3.0),
            };
            let accuracy = Point { series: series.to_owned(), ..point(100, 100.0 - error) };
            fixture.store.record(lease, &[accuracy], Some(100), LEASE_MS).await.unwrap();
            finished()
        }
    };
    fixture.end(lease, end).await;
    Some(spec)
}

/// Ends all waiting trials, and no other job.
async fn run_trials(fixture: &Fixture, experiment: ExperimentId, error: impl Fn(&JobSpec) -> Option<f64>) {
    while fixture.jobs(experiment).await.iter().any(|job| is_waiting(job, Phase::Trial)) {
        run_next(fixture, &error).await.unwrap();
    }
}

fn is_waiting(job: &Job, phase: Phase) -> bool {
    job.record.phase == phase && job.record.state == JobState::Queued
}

/// Trial 1 is best in the baseline, and trial 2 in the other arm, whose trial 0 diverges with one seed.
fn errors(job: &JobSpec) -> Option<f64> {
    let extra = if job.seed == 101 { 1.0 } else { 0.0 };
    match (job.arm.as_str(), job.trial?) {
        ("opt", 0) if job.seed == 101 => None,
        ("baseline", 1) | ("opt", 2) => Some(5.0 + extra),
        (_, trial) => Some(10.0 + trial as f64 + extra),
    }
}

async fn choice(fixture: &Fixture, experiment: ExperimentId, arm: &str) -> Choice {
    let choices = fixture.store.choices(experiment).await.unwrap();
    choices.into_iter().find(|choice| choice.arm == arm).unwrap()
}

async fn of_phase(fixture: &Fixture, experiment: ExperimentId, phase: Phase) -> Vec<Job> {
    let jobs = fixture.jobs(experiment).await;
    jobs.into_iter().filter(|job| job.record.phase == phase).collect()
}

/// The arms and seeds of the jobs that confirm.
async fn confirming(fixture: &Fixture, experiment: ExperimentId) -> Vec<(String, i64)> {
    let jobs = of_phase(fixture, experiment, Phase::Confirm).await;
    let mut cells: Vec<_> = jobs.into_iter().map(|job| (job.record.arm, job.record.seed)).collect();
    cells.sort();
    cells
}

fn cells(arms: &[&str], seeds: &[i64]) -> Vec<(String, i64)> {
    let of_arm = |arm: &&str| seeds.iter().map(|seed| ((*arm).to_owned(), *seed)).collect::<Vec<_>>();
    arms.iter().flat_map(of_arm).collect()
}

async fn experiment(fixture: &Fixture, id: ExperimentId) -> Experiment {
    fixture.store.experiment(id).await.unwrap()
}

pub async fn a_choice_is_frozen_when_the_last_trial_of_its_arm_has_ended(fixture: Fixture) {
    let id = fixture.submit(tuned()).await;
    let trials = of_phase(&fixture, id, Phase::Trial).await;
    assert_eq!((trials.len(), confirming(&fixture, id).await.len()), (2 * 3 * 2, 0));
    let before = experiment(&fixture, id).await;
    let progress = before.tuning.unwrap();
    assert_eq!((progress.trials.queued, progress.arms, progress.frozen, progress.to_come), (12, 2, 0, 4));
    assert_eq!((before.steps, before.has_ended()), (16 * 100, false));
    // The last trial is one of the other arm.
    for _ in 0..11 {
        run_next(&fixture, errors).await.unwrap();
    }
    assert_eq!(confirming(&fixture, id).await, cells(&["baseline"], &[0, 1]));
    assert_eq!(choice(&fixture, id, "opt").await.frozen_ms, None);
    run_next(&fixture, errors).await.unwrap();
    assert_eq!(confirming(&fixture, id).await, cells(&["baseline", "opt"], &[0, 1]));

    let chosen = choice(&fixture, id, "opt").await;
    let candidates = chosen.candidates.clone().unwrap().0;
    let scores: Vec<_> = candidates.iter().map(|one| (one.trial, one.score)).collect();
    assert_eq!((chosen.trial, scores), (Some(2), vec![(2, Some(5.5)), (1, Some(11.5)), (0, None)]));
    assert_eq!(candidates[2].runs[1].end_reason, Some(EndReason::Diverged), "a failed trial is named");
    let trials = fixture.store.trials(id).await.unwrap();
    let without_time = trials.iter().filter(|run| run.seconds.is_none()).count();
    assert_eq!((trials.len(), without_time), (12, 0), "a failed run has the time of its attempts");
    let spec: ExperimentSpec = before.spec;
    let expected = spec.trial(&spec.arms[1], 2).unwrap();
    assert_eq!(candidates[0].point, expected.point);
    while let Some(job) = run_next(&fixture, errors).await {
        assert!(job.trial.is_none());
        if job.arm == "opt" {
            assert_eq!(job, expected.confirm(job.seed));
        }
    }
    let after = experiment(&fixture, id).await;
    assert!(after.has_ended() && after.tuning.unwrap().frozen == 2);
    assert_eq!(choice(&fixture, id, "opt").await, chosen, "it never changes");
    // Only confirming jobs have figures of the test set, and only they are compared.
    let figures = fixture.store.figures(id).await.unwrap();
    assert_eq!(figures.iter().map(|job| job.test_accuracy).collect::<Vec<_>>(), [Some(97.0); 4]);
    let seen = "SELECT count(*) FROM results r JOIN jobs j ON j.id = r.job_id
                WHERE j.phase = 'trial' AND (r.test_accuracy IS NOT NULL OR r.best_test_accuracy IS NOT NULL)";
    assert_eq!(fixture.count(seen).await, 0);
    assert_eq!(fixture.count("SELECT count(*) FROM job_summary").await, 4);
    assert_eq!(fixture.count("SELECT count(*) FROM trial_summary").await, 12);
    assert_eq!(fixture.count("SELECT CAST(sum(chosen) AS BIGINT) FROM trial_summary").await, 4);
    assert_eq!(fixture.count("SELECT CAST(sum(n) AS BIGINT) FROM arm_summary").await, 4);
    assert_eq!(fixture.count("SELECT count(*) FROM paired_differences").await, 2);
}

pub async fn a_failed_freeze_leaves_nothing_and_many_processes_make_it_once(fixture: Fixture) {
    // The second confirming job cannot be inserted, as if the process was killed in the middle of the transaction.
    fixture.execute("CREATE UNIQUE INDEX fault ON jobs (phase) WHERE phase = 'confirm'").await;
    let id = fixture.submit(tuned()).await;
    run_trials(&fixture, id, errors).await;
    assert!(confirming(&fixture, id).await.is_empty(), "all or nothing");
    assert_eq!(choice(&fixture, id, "baseline").await.trial, None);
    let stuck = experiment(&fixture, id).await;
    assert_eq!((stuck.tuning.unwrap().due, stuck.has_ended()), (2, false));
    assert!(fixture.store.make_choices().await.is_err());
    fixture.execute("DROP INDEX fault").await;

    fixture.race_for_choices().await;
    assert_eq!(confirming(&fixture, id).await, cells(&["baseline", "opt"], &[0, 1]));
    assert_eq!(choice(&fixture, id, "baseline").await.trial, Some(1));
}

pub async fn a_failed_trial_can_be_retried_until_the_choice_is_frozen(fixture: Fixture) {
    let id = fixture.submit(tuned()).await;
    let failed = |job: &JobSpec| errors(job).filter(|_| job.trial != Some(1));
    for _ in 0..8 {
        run_next(&fixture, failed).await.unwrap();
    }
    let trial = async |arm: &str, state: JobState| -> JobId {
        let jobs = of_phase(&fixture, id, Phase::Trial).await;
        jobs.iter().find(|job| job.record.arm == arm && job.record.state == state).unwrap().record.id
    };
    let again = trial("baseline", JobState::Failed).await;
    fixture.store.act_on_job(again, Action::Retry).await.unwrap();
    run_trials(&fixture, id, errors).await;
    let candidates = choice(&fixture, id, "baseline").await.candidates.unwrap().0;
    let runs = |trial: i64| -> Vec<JobState> {
        let candidate: &Candidate = candidates.iter().find(|one| one.trial == trial).unwrap();
        candidate.runs.iter().map(|run| run.state).collect()
    };
    assert_eq!(runs(1), [JobState::Succeeded, JobState::Failed], "the retry counts");
    let late = trial("baseline", JobState::Failed).await;
    is_conflict(fixture.store.act_on_job(late, Action::Retry).await);
    assert_eq!(fixture.store.act_on_experiment(id, Action::Retry).await.unwrap(), 0);
    assert_eq!(fixture.state(late).await, JobState::Failed);
}

pub async fn a_stopped_experiment_makes_no_choice_until_it_goes_on(fixture: Fixture) {
    for (stop, resume) in [(Action::Cancel, Action::Retry), (Action::Pause, Action::Resume)] {
        let id = fixture.submit(tuned()).await;
        for _ in 0..11 {
            run_next(&fixture, errors).await.unwrap();
        }
        let last = fixture.claim_whole().await.unwrap();
        fixture.start(last.lease, 0).await;
        fixture.store.act_on_experiment(id, stop).await.unwrap();
        // The request came too late: the last trial is complete.
        let accuracy = Point { series: "validation/accuracy".to_owned(), ..point(100, 95.0) };
        fixture.store.record(last.lease, &[accuracy], Some(100), LEASE_MS).await.unwrap();
        assert_eq!(fixture.end(last.lease, finished()).await, JobState::Succeeded);
        fixture.store.make_choices().await.unwrap();
        assert_eq!(choice(&fixture, id, "opt").await.trial, None, "{stop}");
        assert!(fixture.claim().await.is_none(), "nothing runs after {stop}");
        assert_eq!(experiment(&fixture, id).await.has_ended(), stop == Action::Cancel);
        fixture.store.act_on_experiment(id, resume).await.unwrap();
        // A retry repeats the failed trial, too.
        run_trials(&fixture, id, errors).await;
        assert_eq!(choice(&fixture, id, "opt").await.trial, Some(2), "{resume}");
        assert_eq!(confirming(&fixture, id).await, cells(&["baseline", "opt"], &[0, 1]));
        while run_next(&fixture, errors).await.is_some() {}
    }
}

pub async fn an_arm_with_a_cancelled_trial_waits_for_its_retry(fixture: Fixture) {
    let id = fixture.submit(tuned()).await;
    let trial = of_phase(&fixture, id, Phase::Trial).await[0].record.id;
    fixture.store.act_on_job(trial, Action::Cancel).await.unwrap();
    run_trials(&fixture, id, errors).await;
    assert_eq!(confirming(&fixture, id).await, cells(&["opt"], &[0, 1]));
    assert_eq!(experiment(&fixture, id).await.tuning.unwrap().due, 0);
    fixture.store.act_on_job(trial, Action::Retry).await.unwrap();
    run_trials(&fixture, id, errors).await;
    assert_eq!(confirming(&fixture, id).await, cells(&["baseline", "opt"], &[0, 1]));
}

pub async fn an_arm_whose_trials_all_failed_can_be_retried(fixture: Fixture) {
    let id = fixture.submit(tuned()).await;
    run_trials(&fixture, id, |job| errors(job).filter(|_| job.arm == "opt")).await;
    assert_eq!(confirming(&fixture, id).await, cells(&["opt"], &[0, 1]));
    let progress = experiment(&fixture, id).await.tuning.unwrap();
    assert_eq!((progress.frozen, progress.due, progress.to_come), (1, 0, 2));
    assert_eq!(
        fixture.store.act_on_experiment(id, Action::Retry).await.unwrap(),
        6,
        "only those of its open arm"
    );
    run_trials(&fixture, id, errors).await;
    assert_eq!(confirming(&fixture, id).await, cells(&["baseline", "opt"], &[0, 1]));
}

/// The last trial fails by a machine that was taken away, which its engine reports later.
pub async fn a_refunded_trial_counts_unless_the_choice_was_made_without_it(fixture: Fixture) {
    let arms = json!([{ "name": "baseline", "method": { "kind": "baseline" } }]);
    for error in [None, Some(5.0)] {
        let spec = optlab_spec::merge(tuned(), &json!({ "arms": arms, "max_attempts": 1 }));
        let experiment = fixture.submit(spec).await;
        // A trial needs both of its seeds, and the last one has run with the first.
        for _ in 1..TRIALS * 2 {
            let last = |job: &JobSpec| if job.trial == Some(TRIALS as u64 - 1) { Some(5.0) } else { error };
            run_next(&fixture, last).await.unwrap();
        }
        let slot = start_pilot(&fixture, "17").await;
        let lease = claim(&fixture, &slot).await;
        lose(&fixture, lease).await;
        fixture.store.make_choices().await.unwrap();
        let is_frozen = choice(&fixture, experiment, "baseline").await.frozen_ms.is_some();
        assert_eq!(is_frozen, error.is_some(), "there is something to choose only if others succeeded");
        fixture.store.preempt("cpu", "17", "node failure").await.unwrap();
        if is_frozen {
            assert_eq!(fixture.state(lease.job).await, JobState::Failed);
            while run_next(&fixture, |_| error).await.is_some() {}
        } else {
            run_next(&fixture, |_| Some(5.0)).await.unwrap();
            assert!(choice(&fixture, experiment, "baseline").await.frozen_ms.is_some());
            while run_next(&fixture, |_| error).await.is_some() {}
        }
        fixture.store.deregister_worker(slot.worker).await.unwrap();
    }
}

pub async fn added_seeds_confirm_and_added_arms_are_tuned(fixture: Fixture) {
    let id = fixture.submit(tuned()).await;
    run_trials(&fixture, id, |job| errors(job).filter(|_| job.arm == "opt")).await;
    let spec = experiment(&fixture, id).await.spec;
    assert!(spec.read_more_seeds(&json!({ "seeds": [101] })).is_err(), "a seed of trials");
    fixture.store.add_seeds(id, &[2]).await.unwrap();
    assert_eq!(confirming(&fixture, id).await, cells(&["opt"], &[0, 1, 2]));
    let spec = experiment(&fixture, id).await.spec;
    let more =
        json!({ "arms": [{ "name": "late", "method": { "kind": "opt", "transform": "gram_schmidt" } }] });
    let (extended, text) = spec.with_more_arms(None, &more.to_string(), &more).unwrap();
    fixture.store.add_arms(id, &spec, &extended, &text).await.unwrap();
    fixture.store.act_on_experiment(id, Action::Retry).await.unwrap();
    run_trials(&fixture, id, errors).await;
    assert_eq!(confirming(&fixture, id).await, cells(&["baseline", "late", "opt"], &[0, 1, 2]));
    while let Some(job) = run_next(&fixture, errors).await {
        let arm = extended.arms.iter().find(|arm| arm.name == job.arm).unwrap();
        let chosen = choice(&fixture, id, &job.arm).await.trial.unwrap();
        assert_eq!(job, extended.trial(arm, chosen as u64).unwrap().confirm(job.seed));
    }
    fixture.store.delete_experiment(id, &spec.name).await.unwrap();
    assert_eq!(fixture.count("SELECT count(*) FROM tunings").await, 0);
}
