//! Workers.

use optlab::store::{Origin, Worker};
use optlab_domain::WorkerId;

use crate::fixture::{BEGIN_MS, Fixture, is_not_found, offered};

pub async fn a_worker_drains_and_unregisters(fixture: Fixture) {
    let (store, drained) = (&fixture.store, fixture.slot.worker);
    let other = store.register_worker("there:2", &[], &Origin::default()).await.unwrap();
    assert!(!store.record_heartbeat(drained, &[], None).await.unwrap());
    store.drain_worker(drained).await.unwrap();
    fixture.clock.advance(5);
    assert!(store.record_heartbeat(drained, &[], None).await.unwrap());
    assert!(!store.record_heartbeat(other, &[], None).await.unwrap());
    store.deregister_worker(drained).await.unwrap();
    let workers = store.workers(0).await.unwrap();
    let seen: Vec<_> = workers.iter().map(|worker| (worker.id, worker.draining, worker.ended_ms)).collect();
    assert_eq!(seen, [(other, false, None), (drained, true, Some(BEGIN_MS + 5))]);
    is_not_found(store.drain_worker(WorkerId::from(99)).await);
}

pub async fn a_worker_reports_the_memory_of_its_devices(fixture: Fixture) {
    let store = &fixture.store;
    let at_first = [offered("cuda:0", Some(100)), offered("cpu", None)];
    let worker = store.register_worker("there:2", &at_first, &Origin::default()).await.unwrap();
    assert_eq!(store.workers(0).await.unwrap()[0].devices.0, at_first);
    let later = [offered("cuda:0", Some(900)), offered("cpu", Some(1))];
    store.record_heartbeat(worker, &later, None).await.unwrap();
    let workers = store.workers(0).await.unwrap();
    assert_eq!(workers[0].devices.0, later);
    assert_eq!(workers[1].devices.0, [offered("cpu", None)], "another worker's devices are separate");
}

pub async fn a_worker_reports_trouble_and_counts_as_gone_despite_wrong_clocks(fixture: Fixture) {
    let (store, id) = (&fixture.store, fixture.slot.worker);
    let worker = async || store.workers(0).await.unwrap().remove(0);
    assert_eq!(worker().await.trouble, None);
    store.record_heartbeat(id, &[], Some("it has no room")).await.unwrap();
    assert_eq!(worker().await.trouble.as_deref(), Some("it has no room"));
    store.record_heartbeat(id, &[], None).await.unwrap();
    assert_eq!(worker().await.trouble, None);
    let gone = async |now_ms| worker().await.is_gone(now_ms);
    assert!(!gone(BEGIN_MS).await && !gone(BEGIN_MS + Worker::GONE_AFTER_MS).await);
    assert!(gone(BEGIN_MS + Worker::GONE_AFTER_MS + 1).await);
    assert!(gone(BEGIN_MS - Worker::GONE_AFTER_MS - 1).await, "it reported with a clock that was ahead");
}
