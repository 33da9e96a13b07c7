//! Table `workers`.

use async_trait::async_trait;
use sqlx::FromRow;

use super::SqlStore;
use super::statement::sql;
use crate::store::{OfferedDevice, StoreError, Worker, Workers};

#[derive(FromRow)]
struct Row {
    id: i64,
    name: String,
    devices: String,
    jobs: String,
    started_ms: i64,
    last_seen_ms: i64,
    ended_ms: Option<i64>,
    draining: i64,
    trouble: Option<String>,
}

impl TryFrom<Row> for Worker {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            name: row.name,
            devices: serde_json::from_str(&row.devices)?,
            jobs: serde_json::from_str(&format!("[{}]", row.jobs))?,
            started_ms: row.started_ms,
            last_seen_ms: row.last_seen_ms,
            ended_ms: row.ended_ms,
            draining: row.draining != 0,
            trouble: row.trouble,
        })
    }
}

#[async_trait]
impl Workers for SqlStore {
    async fn register_worker(&self, name: &str, devices: &[OfferedDevice]) -> Result<i64, StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let id = sql(
            "INSERT INTO workers (name, devices, started_ms, last_seen_ms) VALUES ($1, $2, $3, $3) RETURNING id",
        )
        .bind(name)
        .bind(serde_json::to_string(devices)?)
        .bind(now)
        .fetch_number(&mut tx)
        .await?;
        self.commit(tx).await?;
        Ok(id)
    }

    async fn worker_is_alive(
        &self,
        id: i64,
        devices: &[OfferedDevice],
        trouble: Option<&str>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let draining = sql(
            "UPDATE workers SET last_seen_ms = $2, devices = $3, trouble = $4 WHERE id = $1 RETURNING draining",
        )
        .bind(id)
        .bind(now)
        .bind(serde_json::to_string(devices)?)
        .bind(trouble)
        .fetch_number(&mut tx)
        .await?;
        self.commit(tx).await?;
        Ok(draining != 0)
    }

    async fn worker_has_stopped(&self, id: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        sql("UPDATE workers SET last_seen_ms = $2, ended_ms = $2 WHERE id = $1")
            .bind(id)
            .bind(now)
            .execute(&mut tx)
            .await?;
        self.commit(tx).await
    }

    async fn drain_worker(&self, id: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let drained = sql("UPDATE workers SET draining = 1 WHERE id = $1").bind(id).execute(&mut tx).await?;
        if drained == 0 {
            return Err(StoreError::NotFound { what: "worker", id });
        }
        self.commit(tx).await
    }

    async fn workers(&self, since_ms: i64) -> Result<Vec<Worker>, StoreError> {
        let rows: Vec<Row> = sql(
            "SELECT w.id, w.name, w.devices, w.started_ms, w.last_seen_ms, w.ended_ms, w.draining, w.trouble, coalesce((
                 SELECT string_agg(CAST(j.id AS TEXT), ',') FROM jobs j
                 WHERE j.worker_id = w.id AND j.state = 'running'
             ), '') AS jobs
             FROM workers w WHERE w.last_seen_ms >= $1 ORDER BY w.id DESC",
        )
        .bind(since_ms)
        .fetch_all(&mut self.read().await?)
        .await?;
        rows.into_iter().map(Worker::try_from).collect()
    }
}
