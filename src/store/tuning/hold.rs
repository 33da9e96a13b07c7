//! Actions of people on the choices of tuned arms: nothing is queued for an experiment that a person has stopped.

use optlab_domain::{Action, ExperimentId, JobId};

use crate::store::StoreError;
use crate::store::database::{Transaction, sql};

/// Holds the open choices of an experiment that is cancelled or paused, and releases those of one that goes on.
pub(in crate::store) async fn hold_or_release(
    tx: &mut Transaction,
    experiment: ExperimentId,
    action: Action,
) -> Result<(), StoreError> {
    let statement = match action {
        Action::Cancel => {
            "UPDATE tunings SET held = 'cancelled' WHERE experiment_id = $1 AND frozen_ms IS NULL"
        }
        Action::Pause => {
            "UPDATE tunings SET held = 'paused' WHERE experiment_id = $1 AND frozen_ms IS NULL AND held IS NULL"
        }
        Action::Resume => "UPDATE tunings SET held = NULL WHERE experiment_id = $1 AND held = 'paused'",
        Action::Retry => {
            "UPDATE tunings SET held = NULL WHERE experiment_id = $1 AND held IN ('cancelled', 'failed')"
        }
    };
    sql(statement).bind(experiment).execute(tx).await?;
    Ok(())
}

/// Releases the choice of the arm whose trial a person has resumed or retried.
pub(in crate::store) async fn release_arm(
    tx: &mut Transaction,
    job: JobId,
    action: Action,
) -> Result<(), StoreError> {
    let statement = match action {
        Action::Cancel | Action::Pause => return Ok(()),
        Action::Resume => {
            "UPDATE tunings SET held = NULL
             WHERE held = 'paused' AND (experiment_id, arm) IN (SELECT experiment_id, arm FROM jobs WHERE id = $1)"
        }
        Action::Retry => {
            "UPDATE tunings SET held = NULL
             WHERE held IN ('cancelled', 'failed')
               AND (experiment_id, arm) IN (SELECT experiment_id, arm FROM jobs WHERE id = $1)"
        }
    };
    sql(statement).bind(job).execute(tx).await?;
    Ok(())
}

/// Releases the choice of the arm whose trials had all failed, because one of them has been requeued.
pub(in crate::store) async fn release_failed_arm(tx: &mut Transaction, job: JobId) -> Result<(), StoreError> {
    sql("UPDATE tunings SET held = NULL
         WHERE held = 'failed' AND (experiment_id, arm) IN (SELECT experiment_id, arm FROM jobs WHERE id = $1)")
    .bind(job)
    .execute(tx)
    .await?;
    Ok(())
}

/// Whether a row of `$jobs` is a trial whose arm has made its next choice without it: that at its rung, or the last one.
macro_rules! chosen_without {
    ($jobs:literal) => {
        concat!(
            "(",
            $jobs,
            ".phase = 'trial' AND EXISTS (
                 SELECT 1 FROM tunings t
                 WHERE t.experiment_id = ",
            $jobs,
            ".experiment_id AND t.arm = ",
            $jobs,
            ".arm AND (t.frozen_ms IS NOT NULL OR t.rungs_decided > ",
            $jobs,
            ".rungs_passed)
             ))"
        )
    };
}
pub(in crate::store) use chosen_without;

/// Whether a retry of the job would not count. Its row is locked, so that nothing is chosen meanwhile.
pub(in crate::store) async fn is_chosen_without(
    tx: &mut Transaction,
    job: JobId,
) -> Result<bool, StoreError> {
    let chosen = sql(concat!("SELECT count(*) FROM jobs j WHERE j.id = $1 AND ", chosen_without!("j")));
    Ok(chosen.bind(job).fetch_number(tx).await? > 0)
}
