//! Who offers slots.

use crate::fixture::{BEGIN_MS, Fixture, is_not_found, offered};

pub async fn a_worker_is_told_to_drain_and_says_goodbye(fixture: Fixture) {
    let (store, drained) = (&fixture.store, fixture.slot.worker);
    let other = store.register_worker("there:2", &[]).await.unwrap();
    assert!(!store.worker_is_alive(drained, &[]).await.unwrap());
    store.drain_worker(drained).await.unwrap();
    fixture.clock.advance(5);
    assert!(store.worker_is_alive(drained, &[]).await.unwrap());
    assert!(!store.worker_is_alive(other, &[]).await.unwrap());
    store.worker_has_stopped(drained).await.unwrap();
    let workers = store.workers(0).await.unwrap();
    let seen: Vec<_> = workers.iter().map(|worker| (worker.id, worker.draining, worker.ended_ms)).collect();
    assert_eq!(seen, [(other, false, None), (drained, true, Some(BEGIN_MS + 5))]);
    is_not_found(store.drain_worker(99).await);
}

pub async fn a_worker_tells_how_full_its_devices_are(fixture: Fixture) {
    let store = &fixture.store;
    let at_first = [offered("cuda:0", Some(100)), offered("cpu", None)];
    let worker = store.register_worker("there:2", &at_first).await.unwrap();
    assert_eq!(store.workers(0).await.unwrap()[0].devices, at_first);
    let later = [offered("cuda:0", Some(900)), offered("cpu", Some(1))];
    store.worker_is_alive(worker, &later).await.unwrap();
    let workers = store.workers(0).await.unwrap();
    assert_eq!(workers[0].devices, later);
    assert_eq!(workers[1].devices, [offered("cpu", None)], "another worker's are its own");
}
