//! What engines read of the queue: how many jobs there are for workers.

use optlab::clock::{Clock, SystemClock};
use optlab::store::{AttemptEnd, Edit, Origin, Slot};
use optlab_domain::lifecycle::LONGEST_WAIT_MS;
use optlab_domain::{Action, Device, EndReason, Lease};
use serde_json::{Value, json};

use crate::fixture::{Fixture, LEASE_MS, crashed, failed, finished, offered};

/// Rows of the view as `DEVICE STATE ENGINE JOBS`.
async fn demand(fixture: &Fixture) -> Vec<String> {
    let rows = "SELECT coalesce(string_agg(device || ' ' || state || ' ' || coalesce(engine, '-') || ' ' || jobs, ','), '')
                FROM fleet_demand";
    let text = fixture.text(rows).await;
    let mut rows: Vec<String> = text.split(',').filter(|row| !row.is_empty()).map(str::to_owned).collect();
    rows.sort();
    rows
}

fn wanting(device: &str) -> Value {
    json!({ "resources": { "device": device } })
}

/// The view compares times with the clock of the database, so that the clock of the store has to agree with it.
fn set_clock(fixture: &Fixture) {
    fixture.clock.advance(SystemClock.now_ms() - fixture.clock.now_ms());
}

pub async fn the_demand_counts_due_and_running_jobs_by_device(fixture: Fixture) {
    let store = &fixture.store;
    assert_eq!(demand(&fixture).await, [""; 0]);
    for device in ["any", "any", "cpu", "cuda", "cuda", "cuda"] {
        fixture.one_job(wanting(device)).await;
    }
    assert_eq!(demand(&fixture).await, ["any queued - 2", "cpu queued - 1", "cuda queued - 3"]);

    // Running jobs count where they run, whatever they want.
    let gpu = store.register_worker("there:1", &[offered("cuda:1", None)], &Origin::default()).await.unwrap();
    let gpu = Slot { worker: gpu, device: Device::Cuda(1) };
    let claim = async |slot: &Slot| store.claim(slot, LEASE_MS).await.unwrap().unwrap().lease;
    let leases: Vec<Lease> = [claim(&gpu).await, claim(&gpu).await, claim(&fixture.slot).await].into();
    let all = ["cpu running - 1", "cuda queued - 3", "cuda running - 2"];
    assert_eq!(demand(&fixture).await, all);
    fixture.execute("UPDATE workers SET engine = 'kubernetes' WHERE name = 'there:1'").await;
    let all = ["cpu running - 1", "cuda queued - 3", "cuda running kubernetes 2"];
    assert_eq!(demand(&fixture).await, all);

    // A request for a running job changes nothing until its attempt ends.
    store.act_on_job(leases[0].job, Action::Pause).await.unwrap();
    assert_eq!(demand(&fixture).await, all);
    fixture.end(leases[0], AttemptEnd::HandedBack).await;
    assert_eq!(demand(&fixture).await, ["cpu running - 1", "cuda queued - 3", "cuda running kubernetes 1"]);
    fixture.end(leases[1], AttemptEnd::HandedBack).await;
    fixture.end(leases[2], finished()).await;
    assert_eq!(demand(&fixture).await, ["any queued - 1", "cuda queued - 3"]);

    // A worker that is gone holds its job until the lease has expired.
    let lease = claim(&gpu).await;
    fixture.clock.advance(LEASE_MS + 1);
    assert_eq!(demand(&fixture).await, ["cuda queued - 3", "cuda running kubernetes 1"]);
    assert_eq!(store.reap().await.unwrap(), [lease]);
    assert_eq!(demand(&fixture).await, ["any queued - 1", "cuda queued - 3"]);
}

pub async fn the_demand_leaves_out_jobs_that_cannot_be_claimed(fixture: Fixture) {
    let store = &fixture.store;
    set_clock(&fixture);
    let experiment = fixture.submit(wanting("cpu")).await;
    let jobs: Vec<_> = fixture.jobs(experiment).await.iter().map(|job| job.record.id).collect();
    assert_eq!(demand(&fixture).await, ["cpu queued - 3"]);

    // An archived experiment is only hidden.
    store.edit_experiment(experiment, Edit { archived: Some(true), ..Edit::default() }).await.unwrap();
    assert_eq!(demand(&fixture).await, ["cpu queued - 3"]);
    assert!(fixture.claim().await.is_some());
    fixture.clock.advance(LEASE_MS + 1);
    store.reap().await.unwrap();
    fixture.clock.advance(-LEASE_MS - 1);

    store.act_on_job(jobs[0], Action::Pause).await.unwrap();
    assert_eq!(demand(&fixture).await, ["cpu queued - 2"]);
    store.act_on_job(jobs[1], Action::Cancel).await.unwrap();
    assert_eq!(demand(&fixture).await, ["cpu queued - 1"]);

    // After a crash, until the delay is over. The longest delay gives the test time.
    let lease = fixture.claim().await.unwrap();
    fixture.end(lease, crashed()).await;
    fixture.execute("UPDATE jobs SET not_before_ms = not_before_ms + 200000 WHERE state = 'queued'").await;
    assert_eq!(demand(&fixture).await, [""; 0]);
    assert_eq!(fixture.claim().await, None);
    // A wrong clock has written a later one.
    fixture.execute("UPDATE jobs SET not_before_ms = not_before_ms + 200000 WHERE state = 'queued'").await;
    assert!(fixture.job(lease.job).await.not_before_ms > SystemClock.now_ms() + LONGEST_WAIT_MS);
    assert_eq!(demand(&fixture).await, ["cpu queued - 1"]);
    let lease = fixture.claim().await.unwrap();
    fixture.end(lease, failed(EndReason::Diverged)).await;
    assert_eq!(demand(&fixture).await, [""; 0]);

    store.act_on_experiment(experiment, Action::Retry).await.unwrap();
    assert_eq!(demand(&fixture).await, ["cpu queued - 2"]);
    // A trial at its rung.
    fixture.execute("UPDATE jobs SET waits_at = 20 WHERE state = 'queued'").await;
    assert_eq!(demand(&fixture).await, [""; 0]);
    assert_eq!(fixture.claim().await, None);
}
