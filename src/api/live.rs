//! Live hints about changes for open pages, in a bounded ring.
//!
//! A hint names what to fetch again, and losing one costs nothing: a client that was away for longer than the ring
//! reaches gets `reset` and fetches everything.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use optlab_api_types::{ExperimentHint, Job, MetricsHint};
use optlab_domain::{ExperimentId, JobId};
use serde::Serialize;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::views;
use crate::store::{self, Store, StoreError};

const RING: usize = 1024;
/// Writes within this time are reported together.
const GATHER: Duration = Duration::from_millis(200);
/// Polling interval for writes of other processes.
const POLL: Duration = Duration::from_secs(1);
const MOST_JOBS: i64 = 500;

/// A change that clients may want to fetch.
#[derive(Clone, Debug)]
pub(super) struct Hint {
    /// Number in this process's sequence.
    pub(super) number: u64,
    /// The experiment it belongs to.
    pub(super) experiment_id: ExperimentId,
    /// Name of the event.
    pub(super) event: &'static str,
    /// JSON data of the event.
    pub(super) data: String,
}

/// The last hint that a client has received.
#[derive(Clone, Copy, Debug)]
pub(super) enum Since {
    /// None: the client has just read everything.
    Now,
    /// The hint of this number.
    Hint(u64),
    /// A hint of another process, whose numbers mean nothing here.
    OtherProcess,
}

/// The ring and its subscribers.
pub(super) struct Live {
    /// Distinguishes the ids of this process from those of an earlier one.
    pub(super) boot: i64,
    ring: Mutex<VecDeque<Hint>>,
    sender: broadcast::Sender<Hint>,
}

impl Live {
    pub(super) fn new(boot: i64) -> Self {
        Self { boot, ring: Mutex::default(), sender: broadcast::Sender::new(RING) }
    }

    /// The hints since then, `None` if the ring lacks some, and a receiver for later ones.
    pub(super) fn subscribe(&self, since: Since) -> (Option<Vec<Hint>>, broadcast::Receiver<Hint>) {
        let ring = self.ring.lock().expect("no holder panics");
        // `publish` takes the same lock, so no hint is duplicated or lost between the ring and the receiver.
        let future = self.sender.subscribe();
        let after = match since {
            Since::Now => return (Some(Vec::new()), future),
            Since::OtherProcess => return (None, future),
            Since::Hint(number) => number,
        };
        let next = ring.back().map_or(1, |hint| hint.number + 1);
        let oldest = ring.front().map_or(next, |hint| hint.number);
        let past = (after < next && oldest <= after.saturating_add(1))
            .then(|| ring.iter().filter(|hint| hint.number > after).cloned().collect());
        (past, future)
    }

    pub(super) fn experiment_changed(&self, experiment_id: ExperimentId) {
        self.publish(experiment_id, "experiment", &ExperimentHint { experiment_id });
    }

    fn job_changed(&self, job: &Job) {
        self.publish(job.record.experiment_id, "job", job);
        if job.record.step > 0 {
            let hint = MetricsHint {
                experiment_id: job.record.experiment_id,
                job_id: job.record.id,
                step: job.record.step,
            };
            self.publish(job.record.experiment_id, "metrics", &hint);
        }
    }

    fn publish(&self, experiment_id: ExperimentId, event: &'static str, data: &impl Serialize) {
        let data = serde_json::to_string(data).expect("views are JSON");
        let mut ring = self.ring.lock().expect("no holder panics");
        let number = ring.back().map_or(1, |hint| hint.number + 1);
        let hint = Hint { number, experiment_id, event, data };
        if ring.len() == RING {
            ring.pop_front();
        }
        ring.push_back(hint.clone());
        // An error only means that there is no subscriber.
        let _ = self.sender.send(hint);
    }

    /// Follows the store until `shutdown`.
    pub(super) async fn follow(&self, store: Arc<Store>, shutdown: CancellationToken) {
        let mut changes = store.changes();
        let mut published = None;
        while !shutdown.is_cancelled() {
            match self.publish_since(&store, &mut published).await {
                Ok(()) => {}
                Err(error) => tracing::warn!(%error, "live events are paused: the store does not answer"),
            }
            let wake = async {
                let _ = tokio::time::timeout(POLL, changes.changed()).await;
                tokio::time::sleep(GATHER).await;
            };
            shutdown.run_until_cancelled(wake).await;
        }
    }

    /// Publishes what has changed since the last call; nothing at the first call.
    async fn publish_since(
        &self,
        store: &Store,
        published: &mut Option<Published>,
    ) -> Result<(), StoreError> {
        let Some(published) = published else {
            let version = store.version().await?;
            *published = Some(Published { version, deletions: version, unsettled: HashMap::new() });
            return Ok(());
        };
        loop {
            let jobs = store.jobs_since(published.version, MOST_JOBS).await?;
            let Some(last) = jobs.last() else { break };
            published.version = last.version;
            self.jobs_changed(jobs, published);
        }
        let unsettled = store.unsettled_jobs(MOST_JOBS).await?;
        self.jobs_changed(unsettled, published);
        for (experiment, version) in store.deleted_since(published.deletions).await? {
            published.deletions = version;
            self.experiment_changed(experiment);
        }
        let version = published.version;
        published.unsettled.retain(|_, &mut unsettled| unsettled > version);
        Ok(())
    }

    fn jobs_changed(&self, jobs: Vec<store::Job>, published: &mut Published) {
        for job in jobs {
            let before = published.unsettled.insert(job.record.id, job.version);
            if before != Some(job.version) {
                self.job_changed(&views::job(job));
            }
        }
    }
}

/// The published state.
struct Published {
    /// All changes of jobs up to this version.
    version: i64,
    /// All deletions of experiments up to this version.
    deletions: i64,
    /// Versions of jobs that were published beyond it.
    unsettled: HashMap<JobId, i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_was_away_gets_missed_hints_or_a_reset() {
        let live = Live::new(7);
        for id in 0..3 {
            live.experiment_changed(id.into());
        }
        let missed = |after| live.subscribe(Since::Hint(after)).0.map(|hints| hints.len());
        assert_eq!(missed(1), Some(2));
        assert_eq!(missed(3), Some(0));
        assert_eq!(missed(4), None, "a future number is from another process");
        for id in 0..RING as i64 {
            live.experiment_changed(id.into());
        }
        assert_eq!(missed(2), None);
        assert_eq!(missed(3), Some(RING));
    }
}
