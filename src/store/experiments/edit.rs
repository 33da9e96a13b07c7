//! Edits of an experiment.

use optlab_domain::ExperimentId;
use optlab_spec::ExperimentSpec;

use crate::store::database::{Transaction, locked, sql};
use crate::store::jobs::lock;
use crate::store::version::next_version;
use crate::store::{Edit, NotFound, Store, StoreError};

impl Store {
    /// Applies `edit`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn edit_experiment(&self, id: ExperimentId, edit: Edit) -> Result<(), StoreError> {
        let tags = edit.tags.map(|tags| serde_json::to_string(&tags)).transpose()?;
        let mut tx = self.begin().await?;
        let changed = sql("UPDATE experiments
             SET name = coalesce($2, name), notes = coalesce($3, notes), tags = coalesce($4, tags),
                 archived = coalesce($5, archived)
             WHERE id = $1")
        .bind(id)
        .bind(edit.name)
        .bind(edit.notes)
        .bind(tags)
        .bind(edit.archived.map(i64::from))
        .execute(&mut tx)
        .await?;
        if changed == 0 {
            return Err(NotFound::Experiment(id).into());
        }
        if let Some(priority) = edit.priority {
            set_priority(&mut tx, id, priority).await?;
        }
        self.commit(tx).await
    }
}

/// The spec, locked until the transaction ends.
pub(super) async fn locked_spec(
    tx: &mut Transaction,
    id: ExperimentId,
) -> Result<ExperimentSpec, StoreError> {
    let stored: Option<(String,)> =
        locked!("SELECT spec FROM experiments WHERE id = $1").bind(id).fetch_optional(tx).await?;
    Ok(ExperimentSpec::from_stored(&serde_json::from_str(&stored.ok_or(NotFound::Experiment(id))?.0)?)?)
}

pub(super) async fn store_spec(
    tx: &mut Transaction,
    id: ExperimentId,
    spec: &ExperimentSpec,
) -> Result<(), StoreError> {
    let spec = serde_json::to_string(spec)?;
    sql("UPDATE experiments SET spec = $2 WHERE id = $1").bind(id).bind(spec).execute_one(tx).await?;
    Ok(())
}

/// Sets the priority of every job that may be requeued, and of jobs that are added later.
async fn set_priority(tx: &mut Transaction, id: ExperimentId, priority: i64) -> Result<(), StoreError> {
    let mut spec = locked_spec(tx, id).await?;
    spec.priority = priority;
    store_spec(tx, id, &spec).await?;
    lock(tx, id).await?;
    let version = next_version(tx).await?;
    sql("UPDATE jobs SET priority = $2, version = $3 WHERE experiment_id = $1 AND state <> 'succeeded'")
        .bind(id)
        .bind(priority)
        .bind(version)
        .execute(tx)
        .await?;
    Ok(())
}
