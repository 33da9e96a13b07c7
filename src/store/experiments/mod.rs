//! Experiments, with the progress of their jobs.

mod submit;
mod edit;
mod time_left;
mod delete;
mod choices;
mod freeze;
mod halve;

use optlab_domain::{Counts, ExperimentId, Phase, Provenance};
use optlab_spec::ExperimentSpec;
use sqlx_macros::FromRow;

use self::time_left::{JobGroup, Running, Waiting, time_left};
use crate::store::database::{Connect, sql};
use crate::store::jobs::select_jobs;
use crate::store::tuning::{ArmInTuning, arms_in_tuning};
use crate::store::{Job, NotFound, Page, Store, StoreError, TuningProgress};

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
    /// Where it was submitted.
    pub provenance: Provenance,
    /// Its jobs by state.
    pub counts: Counts,
    /// Completed updates of all jobs.
    pub step: i64,
    /// Updates of all jobs.
    pub steps: i64,
    /// Time left at the present pace; `None` while nothing runs.
    pub eta_seconds: Option<f64>,
    /// How far its arms are tuned; `None` if they have fixed settings.
    pub tuning: Option<TuningProgress>,
}

impl Experiment {
    /// Whether nothing of it will happen unless a person does something.
    pub fn has_ended(&self) -> bool {
        self.counts.unfinished() == 0 && self.tuning.is_none_or(|tuning| tuning.due == 0)
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
    /// Where it came from.
    pub provenance: Provenance,
}

impl<'a> Submission<'a> {
    /// A submission of which nothing else is known.
    pub fn of(spec: &'a ExperimentSpec) -> Self {
        Self { spec, text: None, idempotency: None, provenance: Provenance::default() }
    }
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
    #[sqlx(flatten)]
    provenance: Provenance,
    #[sqlx(flatten)]
    counts: Counts,
    step: i64,
    steps: i64,
}

impl TryFrom<Row> for Experiment {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            name: row.name,
            notes: row.notes,
            tags: serde_json::from_str(&row.tags)?,
            archived: row.archived != 0,
            spec: ExperimentSpec::from_stored(&serde_json::from_str(&row.spec)?)?,
            created_ms: row.created_ms,
            provenance: row.provenance,
            counts: row.counts,
            step: row.step,
            steps: row.steps,
            eta_seconds: None,
            tuning: None,
        })
    }
}

/// Experiments with the counts of their jobs. `$page` is the condition for the experiments. Jobs without an
/// attempt are counted only with the index, because there may be thousands of them and their `step` is 0. A trial that was
/// stopped early counts as complete, because nothing is left to do.
macro_rules! select_experiments {
    ($page:literal) => {
        concat!(
            "WITH page AS (
        SELECT id, name, notes, tags, archived, spec, created_ms, commit_hash, commit_dirty, command_line
        FROM experiments WHERE ",
            $page,
            "), counted AS MATERIALIZED (
        SELECT experiment_id, state, count(*) AS jobs, 0 AS step, sum(steps) AS steps
        FROM jobs
        WHERE experiment_id IN (SELECT id FROM page) AND attempt = 0
          AND state IN ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')
        GROUP BY experiment_id, state
        UNION ALL
        SELECT j.experiment_id, j.state, count(*),
            sum(CASE WHEN j.state = 'succeeded' THEN j.steps ELSE j.step END), sum(j.steps)
        FROM jobs j
        WHERE j.experiment_id IN (SELECT id FROM page) AND j.attempt > 0
          AND j.state IN ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')
        GROUP BY j.experiment_id, j.state
    )
    SELECT e.id, e.name, e.notes, e.tags, e.archived, e.spec, e.created_ms,
        e.commit_hash, e.commit_dirty = 1 AS commit_dirty, e.command_line,
        CAST(coalesce(sum(CASE WHEN c.state = 'queued' THEN c.jobs END), 0) AS BIGINT) AS queued,
        CAST(coalesce(sum(CASE WHEN c.state = 'running' THEN c.jobs END), 0) AS BIGINT) AS running,
        CAST(coalesce(sum(CASE WHEN c.state = 'paused' THEN c.jobs END), 0) AS BIGINT) AS paused,
        CAST(coalesce(sum(CASE WHEN c.state = 'succeeded' THEN c.jobs END), 0) AS BIGINT) AS succeeded,
        CAST(coalesce(sum(CASE WHEN c.state = 'failed' THEN c.jobs END), 0) AS BIGINT) AS failed,
        CAST(coalesce(sum(CASE WHEN c.state = 'cancelled' THEN c.jobs END), 0) AS BIGINT) AS cancelled,
        CAST(coalesce(sum(c.step), 0) AS BIGINT) AS step, CAST(coalesce(sum(c.steps), 0) AS BIGINT) AS steps
    FROM page e LEFT JOIN counted c ON c.experiment_id = e.id
    GROUP BY e.id, e.name, e.notes, e.tags, e.archived, e.spec, e.created_ms, e.commit_hash, e.commit_dirty, e.command_line
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
        let row: Option<Row> =
            sql(select_experiments!("id = $1")).bind(id).fetch_optional(&mut reader).await?;
        let mut experiment: Experiment = row.ok_or(NotFound::Experiment(id))?.try_into()?;
        complete(&mut reader, &mut experiment).await?;
        Ok(experiment)
    }

    /// The experiment with the settings that were chosen for its tuned arms.
    pub async fn with_choices(&self, mut experiment: Experiment) -> Result<Experiment, StoreError> {
        if experiment.spec.tune.is_some() {
            experiment.spec = experiment.spec.with_choices(&self.chosen_jobs(experiment.id).await?);
        }
        Ok(experiment)
    }

    /// Experiments before the id `before`, newest first.
    pub async fn experiments(
        &self,
        before: Option<ExperimentId>,
        limit: i64,
    ) -> Result<Page<Experiment, ExperimentId>, StoreError> {
        let mut reader = self.read().await?;
        let rows: Vec<Row> = sql(select_experiments!("$1 IS NULL OR id < $1 ORDER BY id DESC LIMIT $2"))
            .bind(before)
            .bind(limit + 1)
            .fetch_all(&mut reader)
            .await?;
        let mut items = rows.into_iter().map(Experiment::try_from).collect::<Result<Vec<_>, _>>()?;
        for experiment in &mut items {
            complete(&mut reader, experiment).await?;
        }
        Ok(Page::from_surplus(items, limit, |experiment| experiment.id))
    }
}

/// Adds what does not follow from the row and the counts.
async fn complete(reader: &mut impl Connect, experiment: &mut Experiment) -> Result<(), StoreError> {
    let mut to_come = Vec::new();
    if experiment.spec.tune.is_some() {
        let arms = arms_in_tuning(reader, experiment.id).await?;
        experiment.tuning = Some(TuningProgress::of(&arms, &experiment.spec));
        to_come = jobs_to_come(&arms, &experiment.spec);
        experiment.steps += to_come.iter().map(|group| group.jobs * group.steps).sum::<i64>();
    }
    experiment.eta_seconds = seconds_left(reader, experiment, to_come).await?;
    Ok(())
}

/// Time until the jobs of an experiment have ended on the slots that run them now; `None` while nothing runs, or while
/// the pace of an arm is unknown. `to_come` are the confirming jobs that are not queued yet.
async fn seconds_left(
    reader: &mut impl Connect,
    experiment: &Experiment,
    to_come: Vec<JobGroup>,
) -> Result<Option<f64>, StoreError> {
    if experiment.counts.running == 0 {
        return Ok(None);
    }
    let tune = experiment.spec.tune.as_ref();
    let jobs: Vec<Job> =
        sql(select_jobs!("WHERE j.experiment_id = $1 AND j.state = 'running' AND j.requested IS NULL"))
            .bind(experiment.id)
            .fetch_all(reader)
            .await?;
    let running: Vec<Running> = jobs
        .iter()
        .map(|job| Running {
            arm: &job.record.arm,
            steps_left: JobGroup::of(job).steps_left(tune),
            seconds_per_step: job.seconds_per_step(),
        })
        .collect();
    let queued: Vec<JobGroup> = sql("SELECT arm, phase, steps, step, rungs_passed, count(*) AS jobs
         FROM jobs WHERE experiment_id = $1 AND state = 'queued'
         GROUP BY arm, phase, steps, step, rungs_passed")
    .bind(experiment.id)
    .fetch_all(reader)
    .await?;
    let past: Vec<(String, f64)> = sql("SELECT j.arm, avg(a.seconds / j.steps)
         FROM jobs j JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
         WHERE j.experiment_id = $1 AND j.state = 'succeeded' AND a.seconds IS NOT NULL
         GROUP BY j.arm")
    .bind(experiment.id)
    .fetch_all(reader)
    .await?;
    let waiting: Vec<Waiting> = queued
        .into_iter()
        .chain(to_come)
        .map(|group| Waiting { steps_left: group.steps_left(tune), arm: group.arm })
        .collect();
    Ok(time_left(&running, &waiting, &past.into_iter().collect()))
}

/// The confirming jobs of the arms whose choice is open.
fn jobs_to_come(arms: &[ArmInTuning], spec: &ExperimentSpec) -> Vec<JobGroup> {
    let is_open = |name: &str| arms.iter().any(|arm| arm.arm == name && !arm.is_frozen);
    let open = spec.arms.iter().filter(|arm| is_open(&arm.name));
    open.map(|arm| JobGroup {
        arm: arm.name.clone(),
        phase: Phase::Confirm,
        steps: arm.train.total_steps() as i64,
        step: 0,
        rungs_passed: 0,
        jobs: spec.seeds.len() as i64,
    })
    .collect()
}
