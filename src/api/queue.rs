//! The reason why a job waits.

use optlab_api_types::Job;
use optlab_domain::{EndReason, JobState, WantedDevice};

use super::error::ApiError;
use super::state::AppState;
use super::{views, workers};
use crate::store::{self, LAST_PLACE, OfferedDevice, Worker};

/// The workers that could claim a job now.
pub(super) struct QueueState {
    now_ms: i64,
    /// Active workers that claim.
    workers: Vec<Worker>,
}

impl QueueState {
    pub(super) async fn of(state: &AppState) -> Result<Self, ApiError> {
        let now_ms = state.store.time_ms().await?;
        let workers = workers::active(&state.store, now_ms).await?;
        Ok(Self { now_ms, workers: workers.into_iter().filter(|worker| !worker.draining).collect() })
    }

    pub(super) fn view(&self, job: store::Job) -> Job {
        let why_queued = (job.record.state == JobState::Queued).then(|| self.why(&job));
        Job { why_queued, ..views::job(job, self.now_ms) }
    }

    /// The reason why the job waits, with the error of its last attempt if that failed.
    fn why(&self, job: &store::Job) -> String {
        let waits = self.waits_for(job);
        match (job.attempt_end, &job.attempt_error) {
            (Some(EndReason::MachineFault), Some(error)) => {
                format!("{waits}; attempt {} could not run on its machine: {error}", job.record.attempt)
            }
            (
                Some(EndReason::RunnerCrashed | EndReason::OutOfMemory | EndReason::WorkerLost),
                Some(error),
            ) => {
                format!("{waits}; attempt {} failed: {error}", job.record.attempt)
            }
            _ => waits,
        }
    }

    fn waits_for(&self, job: &store::Job) -> String {
        if let Some(delay) = job.delay_ms(self.now_ms) {
            let seconds = (delay + 999) / 1000;
            return format!("it is retried in {seconds} s");
        }
        if self.workers.is_empty() {
            return "no worker is active: start one with `optlab worker`, or start the server with --workers"
                .to_owned();
        }
        let wanted = &job.device_wanted;
        let fits = |offered: &&OfferedDevice| {
            wanted.parse().is_ok_and(|wanted: WantedDevice| wanted.admits_named(&offered.device))
        };
        let fitting = |worker: &Worker, slots: fn(&OfferedDevice) -> usize| -> usize {
            worker.devices.iter().filter(fits).map(slots).sum()
        };
        let sum = |slots| self.workers.iter().map(|worker| fitting(worker, slots)).sum::<usize>();
        let (all, working) = (sum(|offered| offered.slots), sum(OfferedDevice::working_slots));
        let concerned =
            |worker: &&Worker| worker.devices.is_empty() || fitting(worker, |offered| offered.slots) > 0;
        let troubles = self.workers.iter().filter(concerned);
        let troubles: Vec<_> = troubles
            .filter_map(|worker| Some(format!("{}: {}", worker.name, worker.trouble.as_deref()?)))
            .collect();
        let place = match job.queue_position {
            _ if all == 0 => format!("no active worker offers a {wanted} device"),
            None => format!("more than {LAST_PLACE} jobs are ahead of it, for {all} slots"),
            Some(position @ 2..) => format!("{} jobs are ahead of it, for {all} slots", position - 1),
            _ => format!("it is next for one of {all} slots"),
        };
        match working {
            0 if !troubles.is_empty() => format!("{place}; {}", troubles.join("; ")),
            _ => place,
        }
    }
}
