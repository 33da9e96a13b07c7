//! Sends the calls of the [`model`](crate::model) to a real store.

use optlab::store::{AttemptEnd, Slot, Store, StoreError, Submission};
use optlab_domain::{AttemptNumber, EndReason};
use optlab_spec::protocol::Point;
use serde_json::json;

use crate::fixture::{
    Fixture, LEASE_MS, STEPS, checkpoint, curve, environment, failed, finished, offered, point, spec,
};
use crate::model::{Answer, Call, PLACES, View};

/// The answer of `store`, which is on the fixture's database.
pub async fn ask(fixture: &Fixture, store: &Store, call: &Call) -> Answer {
    match try_to_ask(fixture, store, call).await {
        Ok(answer) => answer,
        Err(StoreError::LeaseLost { .. }) => Answer::LeaseLost,
        Err(StoreError::Conflict(_)) => Answer::Conflict,
        Err(StoreError::NotFound(_)) => Answer::NotFound,
        Err(error) => panic!("{call:?}: {error}"),
    }
}

async fn try_to_ask(fixture: &Fixture, store: &Store, call: &Call) -> Result<Answer, StoreError> {
    match *call {
        Call::Submit { priority, device, max_attempts } => {
            let spec = spec(json!({
                "arms": [{ "name": "baseline", "method": { "kind": "baseline" } }],
                "priority": priority, "max_attempts": max_attempts, "resources": { "device": device },
            }));
            store.submit(Submission::of(&spec)).await?;
        }
        Call::Claim { device } => {
            let slot = Slot { device, ..fixture.slot.clone() };
            let claim = store.claim(&slot, LEASE_MS).await?;
            return Ok(Answer::Claimed(claim.map(|claim| {
                (claim.lease, claim.checkpoints.iter().map(|checkpoint| checkpoint.step).collect())
            })));
        }
        Call::Start { lease, step } => {
            store.start(lease, &environment(), step as u64, STEPS).await?;
        }
        Call::Record { lease, ref steps } => {
            let points: Vec<Point> =
                steps.iter().map(|&step| point(step as u64, i64::from(lease.attempt) as f64)).collect();
            let step = steps.last().map(|&step| step as u64);
            return store.record(lease, &points, step, LEASE_MS).await.map(Answer::Recorded);
        }
        Call::AddCheckpoint { lease, step } => store.add_artifact(lease, &checkpoint(lease, step)).await?,
        Call::End { lease, reason } => return store.end(lease, attempt_end(reason)).await.map(Answer::Ended),
        Call::Act { job, action } => store.act_on_job(job, action).await?,
        Call::ActOnAll { job, action } => {
            let experiment = store.job(job).await?.record.experiment_id;
            store.act_on_experiment(experiment, action).await?;
        }
        Call::Delete { job } => {
            let experiment = store.job(job).await?.record.experiment_id;
            let name = store.experiment(experiment).await?.name;
            store.delete_experiment(experiment, &name).await?;
        }
        Call::Reap => return store.reap().await.map(Answer::Reaped),
        Call::Advance { ms } => {
            fixture.clock.advance(ms);
            report(fixture).await;
        }
    }
    Ok(Answer::Done)
}

/// Reports that the worker is alive, with both devices.
pub async fn report(fixture: &Fixture) {
    let devices = PLACES.map(|device| offered(&device.to_string(), None));
    fixture.store.record_heartbeat(fixture.slot.worker, &devices, None).await.unwrap();
}

fn attempt_end(reason: EndReason) -> AttemptEnd {
    match reason {
        EndReason::HandedBack => AttemptEnd::HandedBack,
        EndReason::Completed => finished(),
        reason => failed(reason),
    }
}

/// Every job of the database, in the order of ids.
pub async fn views(store: &Store) -> Vec<View> {
    let jobs = store.jobs(Default::default(), Default::default(), None, 1000).await.unwrap().items;
    let mut views = Vec::new();
    for job in jobs {
        let curve = curve(store, job.record.id, "train/loss").await;
        views.push(View {
            state: job.record.state,
            requested: job.record.requested,
            attempt: job.record.attempt,
            step: job.record.step,
            end_reason: job.record.end_reason,
            points: curve
                .into_iter()
                .map(|point| (point.step, AttemptNumber::from(point.value as i64)))
                .collect(),
        });
    }
    views
}
