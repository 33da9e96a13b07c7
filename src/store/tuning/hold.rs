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

/// Whether the job is a trial of an arm whose choice is frozen. Its row is locked, so that the choice cannot be frozen
/// meanwhile.
pub(in crate::store) async fn is_frozen_trial(tx: &mut Transaction, job: JobId) -> Result<bool, StoreError> {
    let frozen = sql("SELECT count(*) FROM jobs j
         JOIN tunings t ON t.experiment_id = j.experiment_id AND t.arm = j.arm
         WHERE j.id = $1 AND j.phase = 'trial' AND t.frozen_ms IS NOT NULL");
    Ok(frozen.bind(job).fetch_number(tx).await? > 0)
}
