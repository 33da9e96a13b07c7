//! Writes that are cancelled halfway, as by a client that disconnects.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use optlab::store::Submission;
use serde_json::json;

use crate::fixture::{Fixture, spec};

/// The result of `work`, or `None` if it was not ready after this many polls and was dropped.
async fn polled<T>(work: impl Future<Output = T>, mut times: usize) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if times == 0 => Poll::Ready(None),
        Poll::Pending => {
            times -= 1;
            Poll::Pending
        }
    })
    .await
}

pub async fn a_cancelled_write_does_not_block_other_writes(fixture: Fixture) {
    let seeds: Vec<i64> = (0..8).collect();
    let spec = spec(json!({ "seeds": seeds }));
    let (mut steps, mut broken_off) = (0, 0);
    // Cancelled after each number of polls; on a loaded machine, one poll may do several steps.
    while steps > 0 || broken_off <= 5 {
        let submission = Submission::of(&spec);
        let done = polled(fixture.store.submit(submission), steps).await;
        fixture.store.try_to_write().await.unwrap();
        fixture.submit(json!({})).await;
        broken_off += usize::from(done.is_none());
        steps = if done.is_some() { 0 } else { steps + 1 };
    }
    // Each write happened completely or not at all.
    let experiments = "SELECT count(*) FROM experiments e
                       WHERE (SELECT count(*) FROM jobs j WHERE j.experiment_id = e.id) NOT IN (3, 24)";
    assert_eq!(fixture.count(experiments).await, 0);
}
