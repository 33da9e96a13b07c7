//! Rows of artifacts; their bytes are in the artifact root.

use optlab_domain::{ArtifactKind, AttemptNumber, JobId, Lease};
use optlab_spec::KEPT_CHECKPOINTS;
use sqlx_macros::FromRow;

use crate::store::database::{Connect, Transaction, sql};
use crate::store::{NotFound, Store, StoreError};

/// A file of a job.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Artifact {
    /// Unique in the job.
    pub name: String,
    /// The kind of its content.
    pub kind: ArtifactKind,
    /// The attempt that wrote it.
    pub attempt: AttemptNumber,
    /// Completed updates.
    pub step: i64,
    /// Path of its bytes below the artifact root.
    pub path: String,
    /// Length in bytes.
    pub bytes: i64,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// An artifact with its job.
#[derive(FromRow)]
struct Row {
    job_id: JobId,
    #[sqlx(flatten)]
    artifact: Artifact,
}

impl Store {
    /// The artifacts of a job, by name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such job.
    pub async fn artifacts(&self, job: JobId) -> Result<Vec<Artifact>, StoreError> {
        let mut reader = self.read().await?;
        let exists: Option<(JobId,)> =
            sql("SELECT id FROM jobs WHERE id = $1").bind(job).fetch_optional(&mut reader).await?;
        exists.ok_or(NotFound::Job(job))?;
        sql("SELECT name, kind, attempt, step, path, bytes, sha256 FROM artifacts WHERE job_id = $1 ORDER BY name")
            .bind(job)
            .fetch_all(&mut reader)
            .await
    }

    /// Obsolete checkpoints with their jobs: those of succeeded jobs, and all but the last [`KEPT_CHECKPOINTS`] of
    /// others. At most `limit`.
    pub async fn obsolete_checkpoints(&self, limit: i64) -> Result<Vec<(JobId, Artifact)>, StoreError> {
        let rows: Vec<Row> = sql("SELECT job_id, name, kind, attempt, step, path, bytes, sha256 FROM (
                 SELECT a.job_id, a.name, a.kind, a.attempt, a.step, a.path, a.bytes, a.sha256, j.state,
                     row_number() OVER (PARTITION BY a.job_id ORDER BY a.step DESC, a.attempt DESC) AS place
                 FROM artifacts a JOIN jobs j ON j.id = a.job_id WHERE a.kind = 'checkpoint'
             ) checkpoints
             WHERE place > $2 OR state = 'succeeded' ORDER BY job_id, step LIMIT $1")
        .bind(limit)
        .bind(KEPT_CHECKPOINTS as i64)
        .fetch_all(&mut self.read().await?)
        .await?;
        Ok(rows.into_iter().map(|row| (row.job_id, row.artifact)).collect())
    }

    /// Deletes the row of a file whose bytes are removed.
    pub async fn forget_artifact(&self, job: JobId, artifact: &Artifact) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        delete(&mut tx, job, artifact).await?;
        self.commit(tx).await
    }

    /// Deletes the row of a checkpoint from which its attempt cannot resume.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn forget_unusable(&self, lease: Lease, checkpoint: &Artifact) -> Result<(), StoreError> {
        let mut tx = self.begin_under(lease).await?;
        delete(&mut tx, lease.job, checkpoint).await?;
        self.commit(tx).await
    }
}

async fn delete(tx: &mut Transaction, job: JobId, artifact: &Artifact) -> Result<(), StoreError> {
    sql("DELETE FROM artifacts WHERE job_id = $1 AND name = $2 AND path = $3")
        .bind(job)
        .bind(artifact.name.as_str())
        .bind(artifact.path.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// The checkpoints of a job, the latest first.
pub(super) async fn checkpoints(on: &mut impl Connect, job: JobId) -> Result<Vec<Artifact>, StoreError> {
    sql("SELECT name, kind, attempt, step, path, bytes, sha256 FROM artifacts
         WHERE job_id = $1 AND kind = 'checkpoint' ORDER BY step DESC, attempt DESC")
    .bind(job)
    .fetch_all(on)
    .await
}

/// Deletes the rows of a job's checkpoints after `step`, whose points the same transaction deletes, and returns them.
pub(super) async fn forget_checkpoints_after(
    tx: &mut Transaction,
    job: JobId,
    step: i64,
) -> Result<Vec<Artifact>, StoreError> {
    sql("DELETE FROM artifacts WHERE job_id = $1 AND kind = 'checkpoint' AND step > $2
         RETURNING name, kind, attempt, step, path, bytes, sha256")
    .bind(job)
    .bind(step)
    .fetch_all(tx)
    .await
}

/// Inserts or replaces the row of a file, in the transaction of its attempt.
pub(super) async fn insert_artifact(
    tx: &mut Transaction,
    job: JobId,
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
    .bind(artifact.kind)
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
