//! Submissions and their repetition.

use optlab::store::{Edit, StoreError, Submission};
use optlab_domain::JobState;
use serde_json::json;

use crate::fixture::{Fixture, is_not_found, spec};

pub async fn an_idempotency_key_makes_one_experiment(fixture: Fixture) {
    let clients = (0..8).map(|_| {
        let store = fixture.store.clone();
        tokio::spawn(async move {
            let spec = spec(json!({}));
            store.submit(Submission { spec: &spec, idempotency: Some(("key", "body")) }).await.unwrap()
        })
    });
    let mut ids = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        ids.push(client.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let page = fixture.store.experiments(None, 100).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].id), (1, ids[0]));
    assert_eq!(fixture.jobs(ids[0]).await.len(), 3);
    let other = Submission { spec: &spec(json!({})), idempotency: Some(("key", "other body")) };
    assert!(matches!(fixture.store.submit(other).await, Err(StoreError::KeyReused)));
}

pub async fn new_seeds_are_added_to_every_arm_once(fixture: Fixture) {
    let id = fixture.submit(json!({ "seeds": [3] })).await;
    for _ in 0..2 {
        fixture.store.add_seeds(id, &[3, 1, 2, 1]).await.unwrap();
    }
    assert_eq!(fixture.store.experiment(id).await.unwrap().spec.seeds, [3, 1, 2]);
    let figures = fixture.store.figures(id).await.unwrap();
    let cells: Vec<_> = figures.iter().map(|figures| (figures.arm.as_str(), figures.seed)).collect();
    let arms = ["baseline", "opt-cayley", "opt-gram-schmidt"];
    let expected: Vec<_> = arms.into_iter().flat_map(|arm| [1, 2, 3].map(|seed| (arm, seed))).collect();
    assert_eq!(cells, expected);
    is_not_found(fixture.store.add_seeds(99, &[1]).await);
}

pub async fn the_priority_of_queued_jobs_can_be_changed(fixture: Fixture) {
    let [first, second] = [fixture.submit(json!({})).await, fixture.submit(json!({})).await];
    let started = fixture.claim().await.unwrap().job;
    let edit = |priority| Edit { priority: Some(priority), ..Edit::default() };
    fixture.store.edit_experiment(second, edit(7)).await.unwrap();
    let next = fixture.claim().await.unwrap();
    assert_eq!(fixture.job(next.job).await.experiment_id, second, "it is claimed before older jobs");
    fixture.store.edit_experiment(first, edit(-3)).await.unwrap();
    for (id, priority) in [(first, -3), (second, 7)] {
        assert_eq!(fixture.store.experiment(id).await.unwrap().spec.priority, priority);
        for job in fixture.jobs(id).await {
            assert_eq!(job.priority, priority, "{job:?}");
        }
    }
    // Jobs in every state, and new seeds, are requeued with the new priority.
    assert_eq!(fixture.job(started).await.state, JobState::Running);
    fixture.store.add_seeds(first, &[99]).await.unwrap();
    assert!(fixture.jobs(first).await.iter().all(|job| job.priority == -3));
    is_not_found(fixture.store.edit_experiment(99, edit(1)).await);
}
