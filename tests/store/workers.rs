//! Who offers slots.

use crate::fixture::{BEGIN_MS, Fixture, is_not_found};

pub async fn a_worker_is_told_to_drain_and_says_goodbye(fixture: Fixture) {
    let (store, drained) = (&fixture.store, fixture.slot.worker);
    let other = store.register_worker("there:2", &["cuda:0".to_owned()]).await.unwrap();
    assert!(!store.worker_is_alive(drained).await.unwrap());
    store.drain_worker(drained).await.unwrap();
    fixture.clock.advance(5);
    assert!(store.worker_is_alive(drained).await.unwrap());
    assert!(!store.worker_is_alive(other).await.unwrap());
    store.worker_has_stopped(drained).await.unwrap();
    let workers = store.workers(0).await.unwrap();
    let seen: Vec<_> = workers.iter().map(|worker| (worker.id, worker.draining, worker.ended_ms)).collect();
    assert_eq!(seen, [(other, false, None), (drained, true, Some(BEGIN_MS + 5))]);
    is_not_found(store.drain_worker(99).await);
}
