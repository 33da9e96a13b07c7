//! A queue longer than the last reported position.

use optlab::store::{AttemptEnd, JobFilter, LAST_PLACE};
use optlab_domain::{Action, Counts, JobId, JobState};
use serde_json::json;

use crate::fixture::{Fixture, STEPS, checkpoint, finished};

pub async fn queue_positions_are_right_up_to_their_limit(fixture: Fixture) {
    let store = &fixture.store;
    let seeds: Vec<i64> = (0..340).collect();
    let long = fixture.submit(json!({ "seeds": seeds })).await;
    let urgent = fixture.one_job(json!({ "priority": 5 })).await;
    let jobs = fixture.jobs(long).await;
    assert_eq!(jobs.len(), 1000);
    let before = fixture.jobs_since(0, 1).await[0].version;
    let place = async |job: JobId| store.job(job).await.unwrap().queue_position;
    assert_eq!(place(urgent).await, Some(1));
    for (job, expected) in jobs.iter().zip(2..) {
        assert_eq!(job.queue_position, (expected <= LAST_PLACE).then_some(expected), "{}", job.record.id);
    }
    // Ids of one submission are consecutive.
    let later = |job: JobId, by: i64| JobId::from(i64::from(job) + by);
    let [first, last] = [jobs[0].record.id, later(jobs[0].record.id, 3 * 340 - 1)];
    assert_eq!((place(first).await, place(last).await), (Some(2), None));

    // The others move up when a job leaves the queue.
    let lease = fixture.claim().await.unwrap();
    assert_eq!((lease.job, place(urgent).await, place(first).await), (urgent, None, Some(1)));
    store.act_on_job(first, Action::Pause).await.unwrap();
    assert_eq!((place(first).await, place(later(first, 1)).await), (None, Some(1)));
    assert_eq!(place(later(first, LAST_PLACE)).await, Some(LAST_PLACE));
    // Event streams report the same.
    store.act_on_job(later(first, 1), Action::Cancel).await.unwrap();
    store.act_on_job(first, Action::Resume).await.unwrap();
    let told = loop {
        let changed = fixture.jobs_since(before, 1000).await;
        if let Some(job) =
            changed.into_iter().find(|job| job.record.id == first && job.record.state == JobState::Queued)
        {
            break job.queue_position;
        }
    };
    assert_eq!(told, Some(1));
}

pub async fn a_list_by_id_applies_its_filter(fixture: Fixture) {
    let experiments = [fixture.submit(json!({ "seeds": [0, 1] })).await, fixture.submit(json!({})).await];
    for _ in 0..2 {
        let lease = fixture.claim().await.unwrap();
        fixture.end(lease, finished()).await;
    }
    fixture.claim().await.unwrap();
    let all = fixture.store.jobs(JobFilter::default(), Default::default(), None, 100).await.unwrap().items;
    assert_eq!(all.len(), 9);
    let arms = [None, Some(all[0].record.arm.clone()), Some("unknown".to_owned())];
    let states = [None, Some(JobState::Queued), Some(JobState::Running), Some(JobState::Succeeded)];
    for experiment in [None, Some(experiments[0]), Some(experiments[1])] {
        for state in states {
            for arm in &arms {
                let expected: Vec<JobId> = all
                    .iter()
                    .filter(|job| experiment.is_none_or(|id| job.record.experiment_id == id))
                    .filter(|job| state.is_none_or(|state| job.record.state == state))
                    .filter(|job| arm.as_ref().is_none_or(|arm| job.record.arm == *arm))
                    .map(|job| job.record.id)
                    .collect();
                let filter = JobFilter { experiment, arm: arm.clone(), state, ..JobFilter::default() };
                assert_eq!(
                    crate::listing::pages(&fixture, &filter, Default::default()).await,
                    expected,
                    "{filter:?}"
                );
            }
        }
    }
}

pub async fn an_experiment_reports_counts_of_jobs_and_updates(fixture: Fixture) {
    let store = &fixture.store;
    let id = fixture.submit(json!({ "seeds": [0, 1, 2, 3] })).await;
    fixture.submit(json!({})).await;
    let steps = STEPS as i64;
    let done = fixture.claim().await.unwrap();
    fixture.start(done, 0).await;
    fixture.end(done, finished()).await;
    // Two are interrupted, and one of them resumes.
    let [one, other] = [fixture.claim().await.unwrap(), fixture.claim().await.unwrap()];
    for lease in [one, other] {
        fixture.start(lease, 0).await;
        fixture.record(lease, &[10, 40]).await.unwrap();
        store.add_artifact(lease, &checkpoint(lease, 40)).await.unwrap();
        fixture.end(lease, AttemptEnd::HandedBack).await;
    }
    let running = fixture.claim().await.unwrap();
    fixture.start(running, 40).await;
    fixture.record(running, &[60]).await.unwrap();
    store.act_on_job(fixture.jobs(id).await[11].record.id, Action::Pause).await.unwrap();
    let experiment = store.experiment(id).await.unwrap();
    assert_eq!(
        experiment.counts,
        Counts { queued: 9, running: 1, paused: 1, succeeded: 1, ..Counts::default() }
    );
    assert_eq!((experiment.step, experiment.steps), (steps + 40 + 60, 12 * steps));
    let page = store.experiments(None, 10).await.unwrap().items;
    assert_eq!(page.iter().map(|one| one.counts.queued).collect::<Vec<_>>(), [3, 9]);
    assert_eq!((page[1].step, page[1].steps), (experiment.step, experiment.steps));
    // Charts include all jobs that have had an attempt, in any state.
    let mut cells: Vec<JobId> = store.cells(id).await.unwrap().into_iter().map(|cell| cell.job).collect();
    cells.sort();
    assert_eq!(cells, [done.job, one.job, other.job]);
    assert!(store.series_of_experiment(id).await.unwrap().iter().any(|series| series.name == "train/loss"));
}
