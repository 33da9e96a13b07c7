//! Experiments, with the progress of their jobs.

mod submit;
mod edit;
mod delete;

use optlab_domain::{ExperimentId, JobState};
use optlab_spec::ExperimentSpec;
use sqlx_macros::FromRow;

use crate::store::database::sql;
use crate::store::{NotFound, Page, Store, StoreError};

pub(super) use self::edit::lock;

/// An experiment with the progress of its jobs.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// Its id; names are not unique.
    pub id: ExperimentId,
    /// The researcher's name for it.
    pub name: String,
    /// Free text.
    pub notes: String,
    /// Words for searches.
    pub tags: Vec<String>,
    /// Whether it is archived.
    pub archived: bool,
    /// The spec as resolved at submission.
    pub spec: ExperimentSpec,
    /// When it was submitted, milliseconds since the epoch.
    pub created_ms: i64,
    /// Its jobs by state.
    pub counts: Counts,
    /// Completed updates of all jobs.
    pub step: i64,
    /// Updates of all jobs.
    pub steps: i64,
    /// Time left at the present pace; `None` while nothing runs.
    pub eta_seconds: Option<f64>,
}

/// Jobs of an experiment by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting for a slot.
    pub queued: i64,
    /// Running in a slot.
    pub running: i64,
    /// Paused until it is resumed.
    pub paused: i64,
    /// Ended well.
    pub succeeded: i64,
    /// Ended otherwise.
    pub failed: i64,
    /// Ended by a person.
    pub cancelled: i64,
}

impl Counts {
    /// Every state with its jobs.
    pub fn by_state(&self) -> [(JobState, i64); 6] {
        [
            (JobState::Queued, self.queued),
            (JobState::Running, self.running),
            (JobState::Paused, self.paused),
            (JobState::Succeeded, self.succeeded),
            (JobState::Failed, self.failed),
            (JobState::Cancelled, self.cancelled),
        ]
    }
}

/// A submission.
pub struct Submission<'a> {
    /// The validated and resolved spec.
    pub spec: &'a ExperimentSpec,
    /// The text from which it was resolved, JSON or TOML; `None` if there is none.
    pub text: Option<&'a str>,
    /// `Idempotency-Key` and the SHA-256 of its body.
    pub idempotency: Option<(&'a str, &'a str)>,
}

/// Changes of editable fields; `None` leaves a field unchanged.
#[derive(Debug, Default)]
pub struct Edit {
    /// A new name.
    pub name: Option<String>,
    /// New notes.
    pub notes: Option<String>,
    /// New tags.
    pub tags: Option<Vec<String>>,
    /// Whether to archive it.
    pub archived: Option<bool>,
    /// New priority of all jobs that have not succeeded, and of seeds that are added later.
    pub priority: Option<i64>,
}

#[derive(FromRow)]
struct Row {
    id: ExperimentId,
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

/// Experiments with the counts of their jobs. `$page` is the condition for the experiments; $1: now. Jobs without an
/// attempt are counted only with the index, because there may be thousands of them and their `step` is 0.
macro_rules! select_experiments {
    ($page:literal) => {
        concat!(
            "WITH page AS (
        SELECT id, name, notes, tags, archived, spec, created_ms FROM experiments WHERE ",
            $page,
            "), counted AS MATERIALIZED (
        SELECT experiment_id, state, count(*) AS jobs, 0 AS step, sum(steps) AS steps, 0.0 AS steps_per_ms
        FROM jobs
        WHERE experiment_id IN (SELECT id FROM page) AND attempt = 0
          AND state IN ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')
        GROUP BY experiment_id, state
        UNION ALL
        SELECT j.experiment_id, j.state, count(*), sum(j.step), sum(j.steps),
            sum(CASE WHEN j.started_ms <= $1
                THEN CAST(j.step - a.start_step AS DOUBLE PRECISION) / ($1 - j.started_ms + 1) END)
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
    ORDER BY e.id DESC"
        )
    };
}

impl Store {
    /// One experiment.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn experiment(&self, id: ExperimentId) -> Result<Experiment, StoreError> {
        let mut reader = self.read().await?;
        let row: Option<Row> = sql(select_experiments!("id = $2"))
            .bind(self.now(&mut reader).await?)
            .bind(id)
            .fetch_optional(&mut reader)
            .await?;
        row.ok_or(NotFound::Experiment(id))?.try_into()
    }

    /// Experiments before the id `before`, newest first.
    pub async fn experiments(
        &self,
        before: Option<ExperimentId>,
        limit: i64,
    ) -> Result<Page<Experiment, ExperimentId>, StoreError> {
        let mut reader = self.read().await?;
        let rows: Vec<Row> = sql(select_experiments!("$2 IS NULL OR id < $2 ORDER BY id DESC LIMIT $3"))
            .bind(self.now(&mut reader).await?)
            .bind(before)
            .bind(limit + 1)
            .fetch_all(&mut reader)
            .await?;
        let items = rows.into_iter().map(Experiment::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::from_surplus(items, limit, |experiment| experiment.id))
    }
}
