//! The reason why a job waits.

use optlab_api_types::Job;
use optlab_domain::{EndReason, JobState, WantedDevice, counted};

use super::error::ApiError;
use super::state::AppState;
use super::{pools, views, workers};
use crate::store::{self, LAST_PLACE, OfferedDevice, Pool, Worker};

const NO_WORKER: &str =
    "no worker is active: start one with `optlab worker`, or start the server with --workers";

/// The workers that could claim a job now.
pub(super) struct QueueState {
    now_ms: i64,
    /// Active workers that claim.
    workers: Vec<Worker>,
    /// The pools that a process looks after.
    pools: Vec<Pool>,
}

impl QueueState {
    pub(super) async fn of(state: &AppState) -> Result<Self, ApiError> {
        let now_ms = state.store.time_ms().await?;
        let workers = workers::active(&state.store, now_ms).await?;
        let pools = state.store.pools(now_ms - Pool::UNATTENDED_AFTER_MS).await?;
        Ok(Self { now_ms, workers: workers.into_iter().filter(|worker| !worker.draining).collect(), pools })
    }

    pub(super) fn view(&self, job: store::Job) -> Job {
        let why_queued = (job.record.state == JobState::Queued).then(|| self.why(&job));
        Job { why_queued, ..views::job(job) }
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
        if let Some(step) = job.record.waits_at {
            return format!(
                "it waits at step {step} until every trial of its arm has got there; then the best go on"
            );
        }
        if let Some(delay) = job.delay_ms(self.now_ms) {
            let seconds = (delay + 999) / 1000;
            return format!("it is retried in {seconds} s");
        }
        let offer = self.offer(&job.device_wanted);
        let all = offer.slots;
        let pilots = self.pilots(&job.device_wanted);
        let place = match job.queue_position {
            _ if all == 0 && !pilots.is_empty() => return pilots.join("; "),
            _ if self.workers.is_empty() => return NO_WORKER.to_owned(),
            _ if all == 0 => offer.no_slot(),
            None => format!("more than {LAST_PLACE} jobs are ahead of it, for {}", counted(all, "slot")),
            Some(2) => format!("1 job is ahead of it, for {}", counted(all, "slot")),
            Some(position @ 3..) => {
                format!("{} jobs are ahead of it, for {}", position - 1, counted(all, "slot"))
            }
            _ if all == 1 => "it is next for the only slot".to_owned(),
            _ => format!("it is next for one of {all} slots"),
        };
        let place = offer.with_troubles(place);
        if pilots.is_empty() { place } else { format!("{place}; {}", pilots.join("; ")) }
    }

    /// What the pools that could run a job on the device `wanted` wait for.
    fn pilots(&self, wanted: &str) -> Vec<String> {
        let wanted: Option<WantedDevice> = wanted.parse().ok();
        let fits = |pool: &&Pool| wanted.is_some_and(|wanted| wanted.admits(pool.device));
        self.pools.iter().filter(fits).filter_map(|pool| pools::waits_for(pool, self.now_ms)).collect()
    }

    /// The number of slots for jobs that require the device `wanted`, and the reason why new ones would wait, if any.
    pub(super) fn preview(&self, wanted: WantedDevice) -> (usize, Option<String>) {
        let wanted = wanted.to_string();
        let offer = self.offer(&wanted);
        let pilots = self.pilots(&wanted);
        let why = match offer.slots {
            0 if !pilots.is_empty() => Some(pilots.join("; ")),
            _ if self.workers.is_empty() => Some(NO_WORKER.to_owned()),
            0 => Some(offer.with_troubles(offer.no_slot())),
            1 if offer.jobs >= 1 => Some("the only slot is busy with another job".to_owned()),
            all if offer.jobs >= all => Some(format!("all {all} slots are busy with other jobs")),
            _ if offer.working == 0 && !offer.troubles.is_empty() => Some(offer.troubles.join("; ")),
            _ => None,
        };
        (offer.slots, why)
    }

    fn offer<'a>(&self, wanted: &'a str) -> Offer<'a> {
        let mut offer = Offer { wanted, slots: 0, working: 0, jobs: 0, troubles: Vec::new() };
        let device: Option<WantedDevice> = wanted.parse().ok();
        for worker in &self.workers {
            let fits = |offered: &&OfferedDevice| device.is_some_and(|it| it.admits_named(&offered.device));
            let fitting: Vec<&OfferedDevice> = worker.devices.iter().filter(fits).collect();
            if fitting.is_empty() && !worker.devices.is_empty() {
                continue;
            }
            offer.slots += fitting.iter().map(|offered| offered.slots).sum::<usize>();
            offer.working += fitting.iter().map(|offered| offered.working_slots()).sum::<usize>();
            // The jobs of a worker with other devices may run on those.
            if fitting.len() == worker.devices.len() {
                offer.jobs += worker.jobs.len();
            }
            offer.troubles.extend(worker.trouble.as_ref().map(|why| format!("{}: {why}", worker.name)));
        }
        offer
    }
}

/// The slots of the active workers for one kind of device.
struct Offer<'a> {
    wanted: &'a str,
    slots: usize,
    /// Slots that claim jobs or run one.
    working: usize,
    /// Jobs that these workers run.
    jobs: usize,
    /// Why workers claim nothing.
    troubles: Vec<String>,
}

impl Offer<'_> {
    fn no_slot(&self) -> String {
        match self.wanted {
            "any" => "no active worker offers a device".to_owned(),
            wanted => format!("no active worker offers a {wanted} device"),
        }
    }

    /// Adds the troubles of the workers if none of their slots works.
    fn with_troubles(&self, place: String) -> String {
        match self.working {
            0 if !self.troubles.is_empty() => format!("{place}; {}", self.troubles.join("; ")),
            _ => place,
        }
    }
}
