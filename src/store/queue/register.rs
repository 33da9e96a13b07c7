//! Registers workers.

use optlab_domain::WorkerId;

use super::preempt::preempt_workers;
use crate::store::database::sql;
use crate::store::{OfferedDevice, Origin, Store, StoreError};

impl Store {
    /// Registers a worker; returns its id. A pilot runs one worker at a time, so an earlier one of the same pilot has lost
    /// its machine.
    pub async fn register_worker(
        &self,
        name: &str,
        devices: &[OfferedDevice],
        origin: &Origin,
    ) -> Result<WorkerId, StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let mut refunded = Vec::new();
        if let (Some(pool), Some(engine_job)) = (&origin.pool, &origin.engine_job) {
            let why = format!("pilot {engine_job} was started again");
            refunded = preempt_workers(&mut tx, pool, engine_job, &why).await?;
        }
        let id = sql(
            "INSERT INTO workers (name, devices, started_ms, last_seen_ms, engine, engine_job, node, pool, until_ms)
             VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8) RETURNING id",
        )
        .bind(name)
        .bind(serde_json::to_string(devices)?)
        .bind(now)
        .bind(origin.engine)
        .bind(origin.engine_job.as_deref())
        .bind(origin.node.as_deref())
        .bind(origin.pool.as_deref())
        .bind(origin.until_ms)
        .fetch_value(&mut tx)
        .await?;
        if refunded.is_empty() {
            self.commit(tx).await?;
        } else {
            self.commit_queued(tx).await?;
        }
        Ok(id)
    }
}
