//! Table `experiments`, and the jobs that a submission makes.

use async_trait::async_trait;
use optlab_domain::Action;
use optlab_spec::{ExperimentSpec, JobSpec};
use sqlx::FromRow;

use super::statement::{Connect, Transaction, sql};
use super::{SqlStore, next_version};
use crate::store::{Counts, Edit, Experiment, Experiments, Page, StoreError, Submission};

#[derive(FromRow)]
struct Row {
    id: i64,
    name: String,
    notes: String,
    tags: String,
    archived: i64,
    spec: String,
    created_ms: i64,
    queued: i64,
    running: i64,
    paused: i64,
    succeeded: i64,
    failed: i64,
    cancelled: i64,
    step: i64,
    steps: i64,
    steps_left: i64,
    steps_per_ms: f64,
}

impl TryFrom<Row> for Experiment {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let eta_seconds = (row.steps_left > 0 && row.steps_per_ms > 0.0)
            .then(|| row.steps_left as f64 / row.steps_per_ms / 1000.0);
        Ok(Self {
            id: row.id,
            name: row.name,
            notes: row.notes,
            tags: serde_json::from_str(&row.tags)?,
            archived: row.archived != 0,
            spec: ExperimentSpec::from_stored(&serde_json::from_str(&row.spec)?)?,
            created_ms: row.created_ms,
            counts: Counts {
                queued: row.queued,
                running: row.running,
                paused: row.paused,
                succeeded: row.succeeded,
                failed: row.failed,
                cancelled: row.cancelled,
            },
            step: row.step,
            steps: row.steps,
            eta_seconds,
        })
    }
}

/// $1: only this id, or 0 for all; $2: ids below; $3: at most so many; $4: now. Jobs without an attempt are counted
/// with the index alone, because there may be thousands of them and their `step` is 0.
const SELECT: &str = "
    WITH page AS (
        SELECT * FROM experiments WHERE ($1 = 0 OR id = $1) AND id < $2 ORDER BY id DESC LIMIT $3
    ), counted AS MATERIALIZED (
        SELECT experiment_id, state, count(*) AS jobs, 0 AS step, sum(steps) AS steps, 0.0 AS steps_per_ms
        FROM jobs
        WHERE experiment_id IN (SELECT id FROM page) AND attempt = 0
          AND state IN ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')
        GROUP BY experiment_id, state
        UNION ALL
        SELECT j.experiment_id, j.state, count(*), sum(j.step), sum(j.steps),
            sum(CASE WHEN j.started_ms <= $4
                THEN CAST(j.step - a.start_step AS DOUBLE PRECISION) / ($4 - j.started_ms + 1) END)
        FROM jobs j
        LEFT JOIN attempts a ON j.state = 'running' AND a.job_id = j.id AND a.number = j.attempt
        WHERE j.experiment_id IN (SELECT id FROM page) AND j.attempt > 0
          AND j.state IN ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')
        GROUP BY j.experiment_id, j.state
    )
    SELECT e.id, e.name, e.notes, e.tags, e.archived, e.spec, e.created_ms,
        CAST(coalesce(sum(CASE WHEN c.state = 'queued' THEN c.jobs END), 0) AS BIGINT) AS queued,
        CAST(coalesce(sum(CASE WHEN c.state = 'running' THEN c.jobs END), 0) AS BIGINT) AS running,
        CAST(coalesce(sum(CASE WHEN c.state = 'paused' THEN c.jobs END), 0) AS BIGINT) AS paused,
        CAST(coalesce(sum(CASE WHEN c.state = 'succeeded' THEN c.jobs END), 0) AS BIGINT) AS succeeded,
        CAST(coalesce(sum(CASE WHEN c.state = 'failed' THEN c.jobs END), 0) AS BIGINT) AS failed,
        CAST(coalesce(sum(CASE WHEN c.state = 'cancelled' THEN c.jobs END), 0) AS BIGINT) AS cancelled,
        CAST(coalesce(sum(c.step), 0) AS BIGINT) AS step, CAST(coalesce(sum(c.steps), 0) AS BIGINT) AS steps,
        CAST(coalesce(sum(CASE WHEN c.state IN ('queued', 'running') THEN c.steps - c.step END), 0) AS BIGINT)
            AS steps_left,
        coalesce(sum(c.steps_per_ms), 0.0) AS steps_per_ms
    FROM page e LEFT JOIN counted c ON c.experiment_id = e.id
    GROUP BY e.id, e.name, e.notes, e.tags, e.archived, e.spec, e.created_ms
    ORDER BY e.id DESC";

#[async_trait]
impl Experiments for SqlStore {
    async fn submit(&self, submission: Submission<'_>) -> Result<i64, StoreError> {
        let mut tx = self.begin().await?;
        if let Some((key, body)) = submission.idempotency
            && let Some(earlier) = earlier_submission(&mut tx, key, body).await?
        {
            return Ok(earlier);
        }
        let spec = submission.spec;
        let now = self.now(&mut tx).await?;
        let id = sql(
            "INSERT INTO experiments (name, notes, tags, spec, created_ms) VALUES ($1, $2, $3, $4, $5) RETURNING id",
        )
        .bind(spec.name.as_str())
        .bind(spec.notes.as_str())
        .bind(serde_json::to_string(&spec.tags)?)
        .bind(serde_json::to_string(spec)?)
        .bind(now)
        .fetch_number(&mut tx)
        .await?;
        if let Some((key, body)) = submission.idempotency
            && !is_first_submission(&mut tx, key, body, id).await?
        {
            // Somebody sent the same at the same time and was faster.
            tx.rollback().await?;
            let earlier = earlier_submission(&mut self.read().await?, key, body).await?;
            return earlier.ok_or(StoreError::Busy);
        }
        let version = next_version(&mut tx).await?;
        for job in spec.jobs() {
            insert_job(&mut tx, id, spec, &job, version, now).await?;
        }
        self.commit_queued(tx).await?;
        Ok(id)
    }

    async fn experiment(&self, id: i64) -> Result<Experiment, StoreError> {
        let mut reader = self.read().await?;
        let row: Option<Row> = sql(SELECT)
            .bind(id.max(1))
            .bind(i64::MAX)
            .bind(1)
            .bind(self.now(&mut reader).await?)
            .fetch_optional(&mut reader)
            .await?;
        row.filter(|row| row.id == id).ok_or(not_found(id))?.try_into()
    }

    async fn experiments(&self, before: Option<i64>, limit: i64) -> Result<Page<Experiment>, StoreError> {
        let mut reader = self.read().await?;
        let rows: Vec<Row> = sql(SELECT)
            .bind(0)
            .bind(before.unwrap_or(i64::MAX))
            .bind(limit + 1)
            .bind(self.now(&mut reader).await?)
            .fetch_all(&mut reader)
            .await?;
        let items = rows.into_iter().map(Experiment::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(items, limit, |experiment| experiment.id))
    }

    async fn edit_experiment(&self, id: i64, edit: Edit) -> Result<(), StoreError> {
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
            return Err(not_found(id));
        }
        if let Some(priority) = edit.priority {
            set_priority(&mut tx, id, priority).await?;
        }
        self.commit(tx).await
    }

    async fn act_on_experiment(&self, id: i64, action: Action) -> Result<(), StoreError> {
        self.act_on_all(id, action).await
    }

    async fn add_seeds(&self, id: i64, seeds: &[u64]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let mut spec = locked_spec(&mut tx, id).await?;
        let mut new = Vec::new();
        for &seed in seeds {
            if !spec.seeds.contains(&seed) {
                spec.seeds.push(seed);
                new.push(seed);
            }
        }
        store_spec(&mut tx, id, &spec).await?;
        let now = self.now(&mut tx).await?;
        let version = next_version(&mut tx).await?;
        for job in spec.jobs().filter(|job| new.contains(&job.seed)) {
            insert_job(&mut tx, id, &spec, &job, version, now).await?;
        }
        self.commit_queued(tx).await
    }
}

/// The experiment that the key made before, if any.
async fn earlier_submission(
    on: &mut impl Connect,
    key: &str,
    body_sha256: &str,
) -> Result<Option<i64>, StoreError> {
    let row: Option<(String, i64)> =
        sql("SELECT body_sha256, experiment_id FROM submissions WHERE idempotency_key = $1")
            .bind(key)
            .fetch_optional(on)
            .await?;
    match row {
        Some((earlier, _)) if earlier != body_sha256 => Err(StoreError::KeyReused),
        Some((_, id)) => Ok(Some(id)),
        None => Ok(None),
    }
}

/// Notes what the key was used for; false where another transaction has done so, for which this waits.
async fn is_first_submission(
    tx: &mut Transaction,
    key: &str,
    body_sha256: &str,
    experiment: i64,
) -> Result<bool, StoreError> {
    let inserted =
        sql("INSERT INTO submissions (idempotency_key, body_sha256, experiment_id) VALUES ($1, $2, $3)
         ON CONFLICT (idempotency_key) DO NOTHING")
        .bind(key)
        .bind(body_sha256)
        .bind(experiment)
        .execute(tx)
        .await?;
    Ok(inserted == 1)
}

async fn insert_job(
    tx: &mut Transaction,
    experiment_id: i64,
    spec: &ExperimentSpec,
    job: &JobSpec,
    version: i64,
    now: i64,
) -> Result<(), StoreError> {
    let position = spec.arms.iter().position(|arm| arm.name == job.arm);
    sql(
        "INSERT INTO jobs (experiment_id, arm, arm_position, method, seed, spec, device_wanted, priority, max_attempts,
                           time_limit_seconds, state, steps, version, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'queued', $11, $12, $13)",
    )
    .bind(experiment_id)
    .bind(job.arm.as_str())
    .bind(position.map(|position| position as i64))
    .bind(job.method.to_string())
    .bind(job.seed as i64)
    .bind(serde_json::to_string(job)?)
    .bind(job.resources.device.as_str())
    .bind(spec.priority)
    .bind(spec.max_attempts as i64)
    .bind(spec.time_limit_seconds as i64)
    .bind(job.train.total_steps() as i64)
    .bind(version)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// The spec, locked until the transaction ends.
async fn locked_spec(tx: &mut Transaction, id: i64) -> Result<ExperimentSpec, StoreError> {
    let stored: Option<(String,)> =
        sql("SELECT spec FROM experiments WHERE id = $1").bind(id).for_update().fetch_optional(tx).await?;
    Ok(ExperimentSpec::from_stored(&serde_json::from_str(&stored.ok_or(not_found(id))?.0)?)?)
}

async fn store_spec(tx: &mut Transaction, id: i64, spec: &ExperimentSpec) -> Result<(), StoreError> {
    let spec = serde_json::to_string(spec)?;
    sql("UPDATE experiments SET spec = $2 WHERE id = $1").bind(id).bind(spec).execute(tx).await?;
    Ok(())
}

/// Sets the priority of every job that may be queued again, and of jobs that are added later.
async fn set_priority(tx: &mut Transaction, id: i64, priority: i64) -> Result<(), StoreError> {
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

/// Holds every job of the experiment until the transaction ends, so that none changes its state meanwhile.
pub(super) async fn lock(tx: &mut Transaction, id: i64) -> Result<(), StoreError> {
    let found: Option<(i64,)> =
        sql("SELECT id FROM experiments WHERE id = $1").bind(id).fetch_optional(tx).await?;
    found.ok_or(not_found(id))?;
    sql("SELECT id FROM jobs WHERE experiment_id = $1 ORDER BY id").bind(id).for_update().execute(tx).await?;
    Ok(())
}

fn not_found(id: i64) -> StoreError {
    StoreError::NotFound { what: "experiment", id }
}
