//! Submissions, once and again.

use optlab::store::{StoreError, Submission};
use serde_json::json;

use crate::fixture::{Fixture, is_not_found, spec};

pub async fn one_key_makes_one_experiment_however_often_it_is_sent(fixture: Fixture) {
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

pub async fn new_seeds_go_to_every_arm_once(fixture: Fixture) {
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
