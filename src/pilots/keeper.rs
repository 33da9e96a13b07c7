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

/// Time for which a process keeps a pool. It is renewed before each command, so that no other process takes the pool
/// while one runs.
const LEASE: Duration = Duration::from_secs(LONGEST_COMMAND.as_secs() + 15);

/// Keeps one pool as long as no other process does.
pub(super) struct Keeper {
    store: Arc<Store>,
    settings: PoolSettings,
    surroundings: Arc<Surroundings>,
    /// The pool as it was last held.
    held: Option<Pool>,
    /// Pilots whose workers have found devices.
    working: HashSet<String>,
    /// The last message, which is not logged again.
    told: String,
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
        Self { store, settings, surroundings, held: None, working: HashSet::new(), told: String::new() }
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
            self.tell(&interruption.to_string());
        }
    }

    async fn try_round(&mut self) -> Result<(), Interruption> {
        let pool = self.hold().await?;
        let demand = self.store.demand(&pool).await?;
        if pool.pilots.is_empty() && demand.queued == 0 {
            return Ok(self.store.record_pilots(&pool, &[], None).await?);
        }
        let listed = match slurm::pilots(&pool).await {
            Ok(listed) => listed,
            Err(error) => {
                let silence = format!("Slurm cannot be asked: {error}");
                self.store.record_pilots(&pool, &pool.pilots, Some(&silence)).await?;
                self.tell(&silence);
                return Ok(());
            }
        };
        self.told.clear();
        let (mut alive, mut ended) = (Vec::new(), HashMap::new());
        for pilot in listed {
            match pilot {
                Listed::Alive(pilot) => alive.push(pilot),
                Listed::Ended { engine_job, end } => drop(ended.insert(engine_job, end)),
            }
        }
        self.look_at_working(&pool, &alive).await?;
        self.settle(&pool, &alive, &ended, demand).await?;
        self.give_up_hopeless(&pool, &mut alive).await?;
        self.adjust(&mut alive, demand).await?;
        let pool = self.hold().await?;
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
            lease: LEASE,
        };
        self.held = self.store.hold_pool(&hold).await?;
        self.held.clone().ok_or(Interruption::KeptElsewhere)
    }

    /// A pilot that works for the first time shows that pilots can work, so that earlier failures count no more.
    async fn look_at_working(&mut self, pool: &Pool, alive: &[Pilot]) -> Result<(), StoreError> {
        self.working.retain(|known| alive.iter().any(|pilot| pilot.engine_job == *known));
        for pilot in alive.iter().filter(|pilot| pilot.state != PilotState::Pending) {
            let job = &pilot.engine_job;
            if !self.working.contains(job) && self.store.pilot_has_worked(pool, job).await? {
                self.working.insert(job.clone());
                self.forget_failures(pool).await?;
            }
        }
        Ok(())
    }

    /// Records what became of the pilots that were there before.
    async fn settle(
        &self,
        pool: &Pool,
        alive: &[Pilot],
        ended: &HashMap<String, End>,
        demand: Demand,
    ) -> Result<(), StoreError> {
        let is_alive = |job: &str| alive.iter().any(|pilot| pilot.engine_job == job);
        for Pilot { engine_job: job, .. } in pool.pilots.iter().filter(|pilot| !is_alive(&pilot.engine_job)) {
            // After a crash, Slurm's controller knows nothing of its latest jobs, and kills their processes.
            let end = ended.get(job).cloned().unwrap_or(End::Taken("forgotten".to_owned()));
            if let End::Taken(word) = &end {
                let why = format!("Slurm took the machine of pilot {job}: {word}");
                for lease in self.store.preempt(&pool.name, job, &why).await? {
                    tracing::info!(job.id = %lease.job, attempt = %lease.attempt, "{why}; the attempt does not count");
                }
            }
            let has_worked = self.store.pilot_has_worked(pool, job).await?;
            match end {
                // Its place is free, whatever prevented others.
                _ if has_worked => self.forget_failures(pool).await?,
                End::Itself(word) if demand.queued > 0 => {
                    let trouble = format!(
                        "pilot {job} ended ({word}) before it could run a job; its log, optlab-pilot-{job}.log in the \
                         folder of the provisioner unless --output names another, says why"
                    );
                    self.fail(pool, &trouble).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Cancels pilots that Slurm can never start, instead of letting them wait for ever.
    async fn give_up_hopeless(&self, pool: &Pool, alive: &mut Vec<Pilot>) -> Result<(), StoreError> {
        for Pilot { engine_job, reason, state, .. } in alive.iter() {
            let Some(reason) = reason.as_deref().filter(|reason| slurm::is_hopeless(reason)) else {
                continue;
            };
            if *state == PilotState::Pending {
                let trouble = format!(
                    "Slurm can never start pilot {engine_job} ({reason}), so it was cancelled: change the options of \
                     sbatch, or the limit"
                );
                self.cancel(engine_job).await;
                self.fail(pool, &trouble).await?;
            }
        }
        alive.retain(|pilot| {
            pilot.state != PilotState::Pending || !pilot.reason.as_deref().is_some_and(slurm::is_hopeless)
        });
        Ok(())
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
    fn tell(&mut self, message: &str) {
        if self.told != message {
            tracing::warn!(pool = self.settings.name, "{message}");
            message.clone_into(&mut self.told);
        }
    }
}
