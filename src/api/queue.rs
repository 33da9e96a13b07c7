//! Why a job waits.

use super::AppState;
use super::error::ApiError;
use super::views::JobView;
use super::workers;
use crate::store::{Job, JobState, OfferedDevice};

/// Who could take a job now.
pub(super) struct QueueState {
    now_ms: i64,
    /// Of all active workers that claim.
    devices: Vec<OfferedDevice>,
}

impl QueueState {
    pub(super) async fn of(state: &AppState) -> Result<Self, ApiError> {
        let now_ms = state.clock.now_ms();
        let workers = workers::active(&*state.store, now_ms).await?;
        let claiming = workers.into_iter().filter(|worker| !worker.draining);
        Ok(Self { now_ms, devices: claiming.flat_map(|worker| worker.devices).collect() })
    }

    pub(super) fn view(&self, job: Job) -> JobView {
        let why_queued = (job.state == JobState::Queued).then(|| self.why(&job));
        JobView::new(job, self.now_ms).waiting(why_queued)
    }

    fn why(&self, job: &Job) -> String {
        let wanted = &job.device_wanted;
        let fits =
            |offered: &&OfferedDevice| wanted == "any" || offered.device.split(':').next() == Some(wanted);
        if job.not_before_ms > self.now_ms {
            let seconds = (job.not_before_ms - self.now_ms + 999) / 1000;
            return format!("its last attempt failed; it is tried again in {seconds} s");
        }
        if self.devices.is_empty() {
            return "no worker is active: start one with `optlab worker`, or the server with --workers"
                .to_owned();
        }
        let slots: usize = self.devices.iter().filter(fits).map(|offered| offered.slots).sum();
        match job.queue_position {
            _ if slots == 0 => format!("no active worker offers a {wanted} device"),
            Some(position @ 2..) => format!("{} jobs go before it, to {slots} slots", position - 1),
            _ => format!("it is next, for one of {slots} slots"),
        }
    }
}
