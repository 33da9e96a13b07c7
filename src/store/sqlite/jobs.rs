//! Table `jobs` as people see it.

use async_trait::async_trait;
use sqlx::{FromRow, SqliteConnection};

use super::{Sqlite, next_version};
use crate::store::{Job, JobFilter, JobState, Jobs, Page, StoreError};

#[derive(FromRow)]
struct Row {
    id: i64,
    experiment_id: i64,
    arm: String,
    method: String,
    seed: i64,
    state: String,
    requested: Option<String>,
    end_reason: Option<String>,
    error: Option<String>,
    attempt: i64,
    priority: i64,
    step: i64,
    steps: i64,
    queue_position: Option<i64>,
    device: Option<String>,
    version: i64,
    created_ms: i64,
    started_ms: Option<i64>,
    ended_ms: Option<i64>,
}

impl TryFrom<Row> for Job {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            experiment_id: row.experiment_id,
            arm: row.arm,
            method: row.method,
            seed: row.seed,
            state: parse_state(&row.state)?,
            requested: row.requested,
            end_reason: row.end_reason,
            error: row.error,
            attempt: row.attempt,
            priority: row.priority,
            step: row.step,
            steps: row.steps,
            queue_position: row.queue_position,
            device: row.device,
            version: row.version,
            created_ms: row.created_ms,
            started_ms: row.started_ms,
            ended_ms: row.ended_ms,
        })
    }
}

pub(super) fn parse_state(word: &str) -> Result<JobState, StoreError> {
    JobState::parse(word).ok_or_else(|| StoreError::Corrupt(format!("job state {word:?}")))
}

/// All the columns of [`Row`], from a table `j` of jobs.
macro_rules! select_jobs {
    ($rest:literal) => {
        concat!(
            "SELECT j.id, j.experiment_id, j.arm, j.method, j.seed, j.state, j.requested, j.end_reason, j.error,
                j.attempt, j.priority, j.step, j.steps, a.device, j.version, j.created_ms, j.started_ms, j.ended_ms,
                q.position AS queue_position
             FROM jobs j
             LEFT JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
             LEFT JOIN (
                 SELECT id, row_number() OVER (ORDER BY priority DESC, id) AS position FROM jobs WHERE state = 'queued'
             ) q ON q.id = j.id ",
            $rest
        )
    };
}

#[async_trait]
impl Jobs for Sqlite {
    async fn job(&self, id: i64) -> Result<Job, StoreError> {
        let row: Option<Row> =
            sqlx::query_as(select_jobs!("WHERE j.id = $1")).bind(id).fetch_optional(&self.readers).await?;
        row.ok_or(not_found(id))?.try_into()
    }

    async fn jobs(&self, filter: JobFilter, after: i64, limit: i64) -> Result<Page<Job>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(select_jobs!(
            "WHERE j.id > $1 AND ($2 IS NULL OR j.experiment_id = $2) AND ($3 IS NULL OR j.arm = $3)
               AND ($4 IS NULL OR j.state = $4)
             ORDER BY j.id LIMIT $5"
        ))
        .bind(after)
        .bind(filter.experiment)
        .bind(filter.arm)
        .bind(filter.state.map(JobState::as_str))
        .bind(limit + 1)
        .fetch_all(&self.readers)
        .await?;
        let items = rows.into_iter().map(Job::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(items, limit, |job| job.id))
    }

    async fn jobs_since(&self, version: i64, limit: i64) -> Result<Vec<Job>, StoreError> {
        // Jobs that one transaction wrote share a version: all of the last one are returned, or none.
        let rows: Vec<Row> = sqlx::query_as(select_jobs!(
            "WHERE j.version > $1 AND j.version <= (
                 SELECT max(version) FROM (SELECT version FROM jobs WHERE version > $1 ORDER BY version LIMIT $2) some
             ) ORDER BY j.version, j.id"
        ))
        .bind(version)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(Job::try_from).collect()
    }

    async fn version(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM jobs").fetch_one(&self.readers).await?)
    }

    async fn cancel_job(&self, id: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let version = next_version(&mut tx).await?;
        match state(&mut tx, id).await? {
            JobState::Cancelled => return Ok(()),
            JobState::Queued | JobState::Paused => {
                sqlx::query(
                    "UPDATE jobs SET state = 'cancelled', end_reason = 'cancelled', requested = NULL, ended_ms = $2,
                         version = $3
                     WHERE id = $1",
                )
                .bind(id)
                .bind(self.clock.now_ms())
                .bind(version)
                .execute(&mut *tx)
                .await?;
            }
            JobState::Running => {
                sqlx::query("UPDATE jobs SET requested = 'cancel', version = $2 WHERE id = $1")
                    .bind(id)
                    .bind(version)
                    .execute(&mut *tx)
                    .await?;
            }
            ended => return Err(conflict(id, ended, "cancelled")),
        }
        self.commit(tx).await
    }

    async fn retry_job(&self, id: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        match state(&mut tx, id).await? {
            JobState::Queued | JobState::Running => return Ok(()),
            JobState::Failed | JobState::Cancelled => {}
            other => return Err(conflict(id, other, "tried again")),
        }
        let version = next_version(&mut tx).await?;
        sqlx::query(
            "UPDATE jobs
             SET state = 'queued', requested = NULL, end_reason = NULL, error = NULL, ended_ms = NULL, step = 0,
                 attempts_before = attempt, version = $2
             WHERE id = $1",
        )
        .bind(id)
        .bind(version)
        .execute(&mut *tx)
        .await?;
        self.commit(tx).await
    }
}

async fn state(tx: &mut SqliteConnection, id: i64) -> Result<JobState, StoreError> {
    let state: Option<String> =
        sqlx::query_scalar("SELECT state FROM jobs WHERE id = $1").bind(id).fetch_optional(tx).await?;
    parse_state(&state.ok_or(not_found(id))?)
}

fn not_found(id: i64) -> StoreError {
    StoreError::NotFound { what: "job", id }
}

fn conflict(id: i64, state: JobState, wish: &str) -> StoreError {
    StoreError::Conflict(format!("job {id} is {} and cannot be {wish}", state.as_str()))
}
