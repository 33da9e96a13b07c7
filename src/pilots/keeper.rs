//! Keeps one pool.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use optlab_domain::{Engine, Pilot, PilotState};

use super::plan::{Limits, plan};
use super::script::Surroundings;
use super::slurm::{self, End, LONGEST_COMMAND, Listed};
use crate::config::PoolSettings;
use crate::store::{Demand, Pool, PoolHold, Store, StoreError};

/// Time for which a process keeps a pool, besides the interval between its rounds. It is renewed before each command, so
/// that no other process takes the pool while one runs.
const LEASE: Duration = Duration::from_secs(LONGEST_COMMAND.as_secs() + 15);

/// Keeps one pool as long as no other process does.
pub(super) struct Keeper {
    store: Arc<Store>,
    settings: PoolSettings,
    surroundings: Arc<Surroundings>,
    /// The pool as it was last held.
    held: Option<Pool>,
    /// Pilots that have claimed jobs; `None` until Slurm has been queried.
    working: Option<HashSet<String>>,
    /// Whether Slurm listed no pilot, and none has been requested since.
    is_quiet: bool,
    /// The last message, which is not logged again.
    logged: String,
}

/// The reason why a round ended early.
#[derive(Debug, thiserror::Error)]
enum Interruption {
    #[error("another process keeps the pool")]
    KeptElsewhere,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Keeper {
    pub(super) fn new(store: Arc<Store>, settings: PoolSettings, surroundings: Arc<Surroundings>) -> Self {
        Self {
            store,
            settings,
            surroundings,
            held: None,
            working: None,
            is_quiet: false,
            logged: String::new(),
        }
    }

    /// Time until the next round.
    pub(super) fn pause(&self) -> Duration {
        self.settings.poll
    }

    /// Lets another process take the pool at once.
    pub(super) async fn release(&self) {
        if let Some(pool) = &self.held
            && let Err(error) = self.store.release_pool(pool).await
        {
            tracing::warn!(pool = pool.name, %error, "cannot release the pool");
        }
    }

    /// Compares the pilots with the jobs that wait, and requests or cancels pilots.
    pub(super) async fn round(&mut self) {
        if let Err(interruption) = self.try_round().await {
            self.log(&interruption.to_string());
        }
    }

    async fn try_round(&mut self) -> Result<(), Interruption> {
        let pool = self.hold().await?;
        let demand = self.store.demand(&pool).await?;
        if self.is_quiet && demand.queued == 0 {
            return Ok(());
        }
        let listed = match slurm::pilots(&pool).await {
            Ok(listed) => listed,
            Err(error) => {
                let silence = format!("Slurm cannot be queried: {error}");
                self.store.record_pilots(&pool, &pool.pilots, Some(&silence)).await?;
                self.log(&silence);
                return Ok(());
            }
        };
        self.logged.clear();
        let (mut alive, mut ended) = (Vec::new(), HashMap::new());
        for pilot in listed {
            match pilot {
                Listed::Alive(pilot) => alive.push(pilot),
                Listed::Ended { engine_job, end } => drop(ended.insert(engine_job, end)),
            }
        }
        self.look_at_working(&pool, &alive).await?;
        let ended = self.record_ends(&pool, &alive, &ended, demand).await?;
        let impossible = self.cancel_impossible(&mut alive).await;
        // Once for a round, because its failures have the same cause.
        if let Some(trouble) = impossible.or(ended) {
            self.fail(&pool, &trouble).await?;
        }
        self.store.record_pilots(&pool, &alive, None).await?;
        self.adjust(&mut alive, demand).await?;
        let pool = self.hold().await?;
        self.is_quiet = alive.is_empty();
        Ok(self.store.record_pilots(&pool, &alive, None).await?)
    }

    /// Takes the pool, or keeps it for another [`LEASE`].
    async fn hold(&mut self) -> Result<Pool, Interruption> {
        let hold = PoolHold {
            pool: &self.settings.name,
            engine: Engine::Slurm,
            device: self.settings.device,
            max_workers: self.settings.max_workers.into(),
            holder: self.held.as_ref().map(|pool| pool.holder),
            lease: LEASE + self.settings.poll,
        };
        self.held = self.store.hold_pool(&hold).await?;
        self.held.clone().ok_or(Interruption::KeptElsewhere)
    }

    /// A pilot that works for the first time shows that pilots can work, so that earlier failures count no more. Those
    /// that worked before this process began show nothing new.
    async fn look_at_working(&mut self, pool: &Pool, alive: &[Pilot]) -> Result<(), StoreError> {
        let known = self.working.take();
        let mut working = HashSet::new();
        for Pilot { engine_job: job, state, .. } in alive {
            let is_known = known.as_ref().is_some_and(|known| known.contains(job));
            if is_known || *state != PilotState::Pending && self.store.pilot_has_worked(pool, job).await? {
                working.insert(job.clone());
                if known.is_some() && !is_known {
                    self.forget_failures(pool).await?;
                }
            }
        }
        self.working = Some(working);
        Ok(())
    }

    /// Records what became of the pilots that were there before; returns what failed.
    async fn record_ends(
        &self,
        pool: &Pool,
        alive: &[Pilot],
        ended: &HashMap<String, End>,
        demand: Demand,
    ) -> Result<Option<String>, StoreError> {
        let is_alive = |job: &str| alive.iter().any(|pilot| pilot.engine_job == job);
        let mut trouble = None;
        for Pilot { engine_job: job, .. } in pool.pilots.iter().filter(|pilot| !is_alive(&pilot.engine_job)) {
            // After a crash, Slurm's controller knows nothing of its latest jobs, and kills their processes.
            let end = ended.get(job).cloned().unwrap_or(End::Taken("forgotten".to_owned()));
            if let End::Taken(word) = &end {
                let why = format!("Slurm took the machine of pilot {job}: {word}");
                for lease in self.store.preempt(&pool.name, job, &why).await? {
                    tracing::info!(job.id = %lease.job, attempt = %lease.attempt, "{why}; the attempt does not count");
                }
            }
            if self.store.pilot_has_worked(pool, job).await? {
                // Its place is free, whatever prevented others.
                self.forget_failures(pool).await?;
            } else if demand.queued > 0 && !end.is_for_others() {
                trouble = Some(format!(
                    "pilot {job} ended ({}) before it claimed a job; its log, optlab-pilot-{job}.log in the folder of \
                     `optlab slurm` unless --output names another, may have the reason",
                    end.word()
                ));
            }
        }
        Ok(trouble)
    }

    /// Cancels pilots that Slurm can never start, instead of letting them wait for ever; returns the reason.
    async fn cancel_impossible(&self, alive: &mut Vec<Pilot>) -> Option<String> {
        let reason = |pilot: &Pilot| {
            let reason = pilot.reason.clone().filter(|_| pilot.state == PilotState::Pending);
            reason.filter(|reason| slurm::is_impossible(reason))
        };
        let mut trouble = None;
        for pilot in alive.iter() {
            if let Some(reason) = reason(pilot) {
                let job = &pilot.engine_job;
                self.cancel(job).await;
                trouble = Some(format!(
                    "Slurm can never start pilot {job} ({reason}), so it was cancelled: change the options of sbatch, or \
                     the limit"
                ));
            }
        }
        alive.retain(|pilot| reason(pilot).is_none());
        trouble
    }

    /// Requests and cancels pilots.
    async fn adjust(&mut self, alive: &mut Vec<Pilot>, demand: Demand) -> Result<(), Interruption> {
        let pool = self.hold().await?;
        let limits = Limits {
            max_workers: pool.max_workers,
            backlog: self.settings.backlog.into(),
            slots: self.settings.slots_per_device.into(),
            has_failed: pool.failures > 0,
        };
        let plan = plan(&demand, alive, limits);
        for engine_job in &plan.cancel {
            self.cancel(engine_job).await;
        }
        alive.retain(|pilot| !plan.cancel.contains(&pilot.engine_job));
        if pool.pause_ms(pool.seen_ms).is_some() {
            return Ok(());
        }
        for _ in 0..plan.request {
            let pool = self.hold().await?;
            match slurm::request(&self.settings, &pool, &self.surroundings).await {
                Ok(engine_job) => {
                    tracing::info!(pool = pool.name, "requested pilot {engine_job}");
                    alive.push(Pilot { engine_job, state: PilotState::Pending, reason: None, node: None });
                }
                Err(error) => {
                    self.fail(&pool, &format!("no pilot could be requested: {error}")).await?;
                    break;
                }
            }
        }
        Ok(())
    }

    async fn cancel(&self, engine_job: &str) {
        match slurm::cancel(engine_job).await {
            Ok(()) => tracing::info!(pool = self.settings.name, "cancelled pilot {engine_job}, which waited"),
            Err(error) => {
                tracing::warn!(pool = self.settings.name, %error, "cannot cancel pilot {engine_job}")
            }
        }
    }

    async fn forget_failures(&self, pool: &Pool) -> Result<(), StoreError> {
        if pool.failures > 0 { self.store.resume_pool(&pool.name).await } else { Ok(()) }
    }

    async fn fail(&self, pool: &Pool, trouble: &str) -> Result<(), StoreError> {
        let pause = self.store.record_pool_failure(pool, trouble).await?;
        tracing::warn!(pool = pool.name, "{trouble}; the next pilot is requested in {} s", pause.as_secs());
        Ok(())
    }

    /// Logs a message unless it was the last one.
    fn log(&mut self, message: &str) {
        if self.logged != message {
            tracing::warn!(pool = self.settings.name, "{message}");
            message.clone_into(&mut self.logged);
        }
    }
}
