//! Lists of jobs in any order, page by page.

use optlab::store::{Column, Field, Job, JobFilter, JobOrder};
use optlab_domain::{Action, JobId, JobState};
use serde_json::json;

use crate::fixture::{Fixture, LEASE_MS, crashed, finished, point};

/// All ids in an order, with three jobs per page.
pub async fn pages(fixture: &Fixture, filter: &JobFilter, order: JobOrder) -> Vec<JobId> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = fixture.store.jobs(filter.clone(), order, after, 3).await.unwrap();
        assert!(page.items.len() <= 3);
        ids.extend(page.items.iter().map(|job| job.record.id));
        match page.next {
            Some(next) => after = Some(next),
            None => return ids,
        }
    }
}

fn figure(job: &Job, by: Column) -> Option<f64> {
    match by {
        Column::Id => Some(i64::from(job.record.id) as f64),
        Column::Seed => Some(job.record.seed as f64),
        Column::Attempt => Some(i64::from(job.record.attempt) as f64),
        Column::Progress => Some(job.record.step as f64 / job.record.steps as f64),
        Column::StartedAt => job.record.started_ms.map(|ms| ms as f64),
        Column::TestError => job.test_error,
        Column::Seconds => job.seconds,
        other => unreachable!("{other:?} is not used here"),
    }
}

pub async fn pages_of_a_list_contain_every_job_once_in_any_order(fixture: Fixture) {
    let experiment = fixture.submit(json!({ "seeds": [4, 0, 2] })).await;
    fixture.submit(json!({ "seeds": [7] })).await;
    // Some jobs run, some have succeeded, one has crashed, and the others wait.
    for (number, accuracy) in [90.0, 97.5, 93.0].into_iter().enumerate() {
        let lease = fixture.claim().await.unwrap();
        fixture.start(lease, 0).await;
        let mut last = point(30 + number as u64, accuracy);
        last.series = "test/accuracy".to_owned();
        fixture.store.record(lease, &[last], Some(30 + number as u64), LEASE_MS).await.unwrap();
        fixture.clock.advance(10);
        fixture.end(lease, finished()).await;
    }
    let lease = fixture.claim().await.unwrap();
    fixture.end(lease, crashed()).await;
    fixture.claim().await.unwrap();
    let filter = JobFilter { experiment: Some(experiment), ..JobFilter::default() };
    let jobs = fixture.jobs(experiment).await;
    assert_eq!((jobs.len(), jobs[1].test_error), (9, Some(2.5)));
    let asked = [
        Column::Id,
        Column::Seed,
        Column::Attempt,
        Column::Progress,
        Column::StartedAt,
        Column::TestError,
        Column::Seconds,
    ];
    for by in asked {
        for descending in [false, true] {
            let sign = if descending { -1.0 } else { 1.0 };
            let mut expected: Vec<(bool, f64, JobId)> = jobs
                .iter()
                .map(|job| (figure(job, by).is_none(), sign * figure(job, by).unwrap_or(0.0), job.record.id))
                .collect();
            expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
            let expected: Vec<JobId> = expected.into_iter().map(|(_, _, id)| id).collect();
            let order = JobOrder { by: by.into(), descending };
            assert_eq!(pages(&fixture, &filter, order).await, expected, "{order:?}");
        }
    }
    for by in Field::all() {
        assert_eq!(pages(&fixture, &filter, JobOrder { by, descending: true }).await.len(), 9, "{by}");
    }
}

pub async fn the_next_page_follows_a_job_that_has_left_the_list(fixture: Fixture) {
    let experiment = fixture.submit(json!({ "seeds": [4, 0, 2] })).await;
    let jobs = fixture.jobs(experiment).await;
    let filter =
        JobFilter { experiment: Some(experiment), state: Some(JobState::Queued), ..JobFilter::default() };
    for (by, first) in [(Column::Seed, 3), (Column::Id, 2)] {
        let order = JobOrder { by: by.into(), descending: false };
        let page = fixture.store.jobs(filter.clone(), order, None, first).await.unwrap();
        let last = page.items.last().unwrap().record.id;
        fixture.store.act_on_job(last, Action::Pause).await.unwrap();
        let rest = fixture.store.jobs(filter.clone(), order, page.next, 100).await.unwrap();
        let mut seen: Vec<JobId> = page.items.iter().chain(&rest.items).map(|job| job.record.id).collect();
        seen.sort_unstable();
        assert_eq!(seen, jobs.iter().map(|job| job.record.id).collect::<Vec<_>>(), "{by}");
        fixture.store.act_on_job(last, Action::Resume).await.unwrap();
    }
}
