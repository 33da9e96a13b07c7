//! Freezes the choice of a tuned arm: once, in one transaction with the jobs that confirm it. The row of the arm is changed
//! only while it is open.

use optlab_domain::{ExperimentId, Hold, JobState};
use optlab_spec::{ExperimentSpec, JobSpec};

use super::edit::locked_spec;
use super::submit::insert_job;
use crate::store::database::{Transaction, locked, sql};
use crate::store::tuning::{chosen_job, runs_of_arm};
use crate::store::version::next_version;
use crate::store::{Candidate, StoreError};

/// Selects the arms whose trials have all ended by themselves, and whose choice nobody holds. A cancelled trial can be
/// retried: without it, the arm would have had fewer trials than the others. $1: a trial, or NULL for all arms.
pub(super) const DUE: &str = "SELECT t.experiment_id, t.arm FROM tunings t
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

/// What a transaction has done for an arm.
pub(super) enum Made {
    /// Of the trials that have ended, this one is chosen.
    Frozen { trial: i64 },
    /// At a rung, so many runs go on, and so many stop.
    Halved { go_on: usize, stop: usize },
    /// No trial can be chosen, so the choice is held.
    Held,
}

/// Freezes the choice; `None` if it is not due, because another process was faster or a person has acted meanwhile.
pub(super) async fn freeze(
    tx: &mut Transaction,
    experiment: ExperimentId,
    arm: &str,
    now: i64,
) -> Result<Option<Made>, StoreError> {
    let spec = lock_trials(tx, experiment, arm).await?;
    let runs = runs_of_arm(tx, experiment, arm).await?;
    if !runs.iter().all(|run| matches!(run.state, JobState::Succeeded | JobState::Failed)) {
        return Ok(None);
    }
    let candidates = Candidate::ranked(&runs);
    let Some(best) = candidates.first().filter(|best| best.score.is_some()) else {
        return hold(tx, experiment, arm).await;
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
        return Ok(None);
    }
    let missing = || StoreError::Corrupt(format!("the chosen trial of {arm} has no job"));
    let chosen: JobSpec = chosen_job(tx, experiment, arm).await?.ok_or_else(missing)?;
    let version = next_version(tx).await?;
    for &seed in &spec.seeds {
        insert_job(tx, experiment, &spec, &chosen.confirm(seed), version, now).await?;
    }
    Ok(Some(Made::Frozen { trial: best.trial }))
}

/// Holds the open choice of an arm of which no trial can be chosen.
pub(super) async fn hold(
    tx: &mut Transaction,
    experiment: ExperimentId,
    arm: &str,
) -> Result<Option<Made>, StoreError> {
    let hold = sql("UPDATE tunings SET held = $3
         WHERE experiment_id = $1 AND arm = $2 AND frozen_ms IS NULL AND held IS NULL");
    let held = hold.bind(experiment).bind(arm).bind(Hold::Failed).execute(tx).await? == 1;
    Ok(held.then_some(Made::Held))
}

/// Locks the experiment and the trials of an arm in the order of a deletion, so that neither seeds are added nor trials
/// are retried meanwhile.
pub(super) async fn lock_trials(
    tx: &mut Transaction,
    experiment: ExperimentId,
    arm: &str,
) -> Result<ExperimentSpec, StoreError> {
    let spec = locked_spec(tx, experiment).await?;
    locked!("SELECT id FROM jobs WHERE experiment_id = $1 AND arm = $2 AND phase = 'trial' ORDER BY id")
        .bind(experiment)
        .bind(arm)
        .execute(tx)
        .await?;
    Ok(spec)
}
