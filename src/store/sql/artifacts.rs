//! Table `artifacts`.

use async_trait::async_trait;
use sqlx::FromRow;

use super::SqlStore;
use super::statement::{Connect, Transaction, sql};
use crate::store::{Artifact, ArtifactKind, Artifacts, StoreError};

#[derive(FromRow)]
struct Row {
    job_id: i64,
    name: String,
    kind: String,
    attempt: i64,
    step: i64,
    path: String,
    bytes: i64,
    sha256: String,
}

impl TryFrom<Row> for Artifact {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let kind = ArtifactKind::parse(&row.kind);
        Ok(Self {
            name: row.name,
            kind: kind.ok_or_else(|| StoreError::Corrupt(format!("artifact kind {:?}", row.kind)))?,
            attempt: row.attempt,
            step: row.step,
            path: row.path,
            bytes: row.bytes,
            sha256: row.sha256,
        })
    }
}

#[async_trait]
impl Artifacts for SqlStore {
    async fn artifacts(&self, job: i64) -> Result<Vec<Artifact>, StoreError> {
        let mut reader = self.read().await?;
        let exists: Option<(i64,)> =
            sql("SELECT id FROM jobs WHERE id = $1").bind(job).fetch_optional(&mut reader).await?;
        exists.ok_or(StoreError::NotFound { what: "job", id: job })?;
        let rows: Vec<Row> =
            sql("SELECT job_id, name, kind, attempt, step, path, bytes, sha256 FROM artifacts
             WHERE job_id = $1 ORDER BY name")
            .bind(job)
            .fetch_all(&mut reader)
            .await?;
        rows.into_iter().map(Artifact::try_from).collect()
    }

    async fn obsolete_checkpoints(&self, limit: i64) -> Result<Vec<(i64, Artifact)>, StoreError> {
        let rows: Vec<Row> = sql("SELECT job_id, name, kind, attempt, step, path, bytes, sha256 FROM (
                 SELECT a.job_id, a.name, a.kind, a.attempt, a.step, a.path, a.bytes, a.sha256, j.state,
                     row_number() OVER (PARTITION BY a.job_id ORDER BY a.step DESC, a.attempt DESC) AS place
                 FROM artifacts a JOIN jobs j ON j.id = a.job_id WHERE a.kind = 'checkpoint'
             ) checkpoints
             WHERE place > 2 OR state = 'succeeded' ORDER BY job_id, step LIMIT $1")
        .bind(limit)
        .fetch_all(&mut self.read().await?)
        .await?;
        rows.into_iter().map(|row| Ok((row.job_id, row.try_into()?))).collect()
    }

    async fn forget_artifact(&self, job: i64, artifact: &Artifact) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sql("DELETE FROM artifacts WHERE job_id = $1 AND name = $2 AND path = $3")
            .bind(job)
            .bind(artifact.name.as_str())
            .bind(artifact.path.as_str())
            .execute(&mut tx)
            .await?;
        self.commit(tx).await
    }
}

/// The checkpoints of a job, the latest first.
pub(super) async fn checkpoints(on: &mut impl Connect, job: i64) -> Result<Vec<Artifact>, StoreError> {
    let rows: Vec<Row> = sql("SELECT job_id, name, kind, attempt, step, path, bytes, sha256 FROM artifacts
         WHERE job_id = $1 AND kind = 'checkpoint' ORDER BY step DESC, attempt DESC")
    .bind(job)
    .fetch_all(on)
    .await?;
    rows.into_iter().map(Artifact::try_from).collect()
}

/// Deletes the rows of a job's checkpoints after `step`, whose points the same transaction deletes, and returns them.
pub(super) async fn forget_checkpoints_after(
    tx: &mut Transaction,
    job: i64,
    step: i64,
) -> Result<Vec<Artifact>, StoreError> {
    let rows: Vec<Row> = sql("DELETE FROM artifacts WHERE job_id = $1 AND kind = 'checkpoint' AND step > $2
         RETURNING job_id, name, kind, attempt, step, path, bytes, sha256")
    .bind(job)
    .bind(step)
    .fetch_all(tx)
    .await?;
    rows.into_iter().map(Artifact::try_from).collect()
}

/// Inside the transaction of an attempt.
pub(super) async fn insert_artifact(
    tx: &mut Transaction,
    job: i64,
    artifact: &Artifact,
    now: i64,
) -> Result<(), StoreError> {
    sql("INSERT INTO artifacts (job_id, name, kind, attempt, step, path, bytes, sha256, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (job_id, name) DO UPDATE
         SET kind = excluded.kind, attempt = excluded.attempt, step = excluded.step, path = excluded.path,
             bytes = excluded.bytes, sha256 = excluded.sha256, created_ms = excluded.created_ms")
    .bind(job)
    .bind(artifact.name.as_str())
    .bind(artifact.kind.as_str())
    .bind(artifact.attempt)
    .bind(artifact.step)
    .bind(artifact.path.as_str())
    .bind(artifact.bytes)
    .bind(artifact.sha256.as_str())
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}
