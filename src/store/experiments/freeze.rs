//! Freezes the choice of a tuned arm: once, in one transaction with the jobs that confirm it.
//!
//! Any process may try at any time. The row of the arm is changed only while it is open, so that only one transaction
//! makes the choice, and a process that is killed leaves the choice to the next round of a reaper.

use optlab_domain::{ExperimentId, Hold, JobId, JobState};
use optlab_spec::JobSpec;

use super::edit::locked_spec;
use super::submit::insert_job;
use crate::store::database::{Transaction, locked, sql};
use crate::store::tuning::{chosen_job, runs_of_arm};
use crate::store::version::next_version;
use crate::store::{Candidate, Store, StoreError};

/// Selects the arms whose trials have all ended by themselves, and whose choice nobody holds. A cancelled trial can be
/// retried: without it, the arm would have had fewer trials than the others. $1: a trial, or NULL for all arms.
const DUE: &str = "SELECT t.experiment_id, t.arm FROM tunings t
     WHERE t.frozen_ms IS NULL AND t.held IS NULL
       AND ($1 IS NULL OR EXISTS (
           SELECT 1 FROM jobs j
           WHERE j.id = $1 AND j.phase = 'trial' AND j.experiment_id = t.experiment_id AND j.arm = t.arm
       ))
       AND EXISTS (
           SELECT 1 FROM jobs j WHERE j.experiment_id = t.experiment_id AND j.arm = t.arm AND j.phase = 'trial'
       )
       AND NOT EXISTS (
           SELECT 1 FROM jobs j
           WHERE j.experiment_id = t.experiment_id AND j.arm = t.arm AND j.phase = 'trial'
             AND j.state NOT IN ('succeeded', 'failed')
       )
     ORDER BY t.experiment_id, t.arm";

/// What a transaction has done with the choice of an arm.
enum Freeze {
    /// This trial is chosen.
    Chosen(i64),
    /// Every trial has failed, so the choice is held.
    Held,
    /// Another process was faster, or a person has acted meanwhile.
    NotDue,
}

impl Store {
    /// Makes every choice that is due, and queues the jobs that confirm it.
    ///
    /// # Errors
    /// The first error; the other choices are made nevertheless.
    pub async fn freeze_choices(&self) -> Result<(), StoreError> {
        self.freeze_due(None).await
    }

    /// As [`freeze_choices`](Self::freeze_choices), for the arm of `trial` if that is given. A choice that cannot be made
    /// now is made in a later round of a reaper.
    pub(in crate::store) async fn try_to_freeze(&self, trial: Option<JobId>) {
        if let Err(error) = self.freeze_due(trial).await {
            tracing::warn!(%error, "cannot freeze the choice of a tuned arm yet");
        }
    }

    async fn freeze_due(&self, trial: Option<JobId>) -> Result<(), StoreError> {
        let due: Vec<(ExperimentId, String)> =
            sql(DUE).bind(trial).fetch_all(&mut self.read().await?).await?;
        let mut result = Ok(());
        for (experiment, arm) in due {
            let frozen = self.freeze_choice(experiment, &arm).await;
            result = result.and(frozen);
        }
        result
    }

    async fn freeze_choice(&self, experiment: ExperimentId, arm: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        match freeze(&mut tx, experiment, arm, now).await {
            Ok(Freeze::Chosen(trial)) => {
                self.commit_queued(tx).await?;
                tracing::info!(experiment.id = %experiment, arm, trial, "froze the choice of a tuned arm");
                Ok(())
            }
            Ok(Freeze::Held) => self.commit(tx).await,
            Ok(Freeze::NotDue) | Err(StoreError::NotFound(_)) => tx.rollback().await,
            Err(error) => {
                tx.rollback().await?;
                Err(error)
            }
        }
    }
}

async fn freeze(
    tx: &mut Transaction,
    experiment: ExperimentId,
    arm: &str,
    now: i64,
) -> Result<Freeze, StoreError> {
    // Locked in the order of a deletion, so that neither seeds are added nor trials are retried meanwhile.
    let spec = locked_spec(tx, experiment).await?;
    locked!("SELECT id FROM jobs WHERE experiment_id = $1 AND arm = $2 AND phase = 'trial' ORDER BY id")
        .bind(experiment)
        .bind(arm)
        .execute(tx)
        .await?;
    let runs = runs_of_arm(tx, experiment, arm).await?;
    if !runs.iter().all(|run| matches!(run.state, JobState::Succeeded | JobState::Failed)) {
        return Ok(Freeze::NotDue);
    }
    let candidates = Candidate::ranked(&runs);
    let Some(best) = candidates.first().filter(|best| best.score.is_some()) else {
        let hold = sql("UPDATE tunings SET held = $3
             WHERE experiment_id = $1 AND arm = $2 AND frozen_ms IS NULL AND held IS NULL");
        let held = hold.bind(experiment).bind(arm).bind(Hold::Failed).execute(tx).await? == 1;
        return Ok(if held { Freeze::Held } else { Freeze::NotDue });
    };
    let frozen = sql("UPDATE tunings SET trial = $3, candidates = $4, frozen_ms = $5
         WHERE experiment_id = $1 AND arm = $2 AND frozen_ms IS NULL AND held IS NULL")
    .bind(experiment)
    .bind(arm)
    .bind(best.trial)
    .bind(serde_json::to_string(&candidates)?)
    .bind(now)
    .execute(tx)
    .await?;
    if frozen == 0 {
        return Ok(Freeze::NotDue);
    }
    let missing = || StoreError::Corrupt(format!("the chosen trial of {arm} has no job"));
    let chosen: JobSpec = chosen_job(tx, experiment, arm).await?.ok_or_else(missing)?;
    let version = next_version(tx).await?;
    for &seed in &spec.seeds {
        insert_job(tx, experiment, &spec, &chosen.confirm(seed), version, now).await?;
    }
    Ok(Freeze::Chosen(best.trial))
}
