//! Thinning of old curves.

use optlab_domain::{ExperimentId, JobId};

use crate::store::artifacts::forget_checkpoints_after;
use crate::store::curves::{condense_job, forget};
use crate::store::database::{Connect, sql};
use crate::store::version::next_version;
use crate::store::{NotFound, Store, StoreError};

/// The effect of thinning on an experiment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thinned {
    /// Number of its jobs that have ended; others are not thinned.
    pub jobs: i64,
    /// Number of points of these jobs before thinning.
    pub points: i64,
    /// Number of points that are deleted.
    pub deleted: i64,
}

/// `points` of the jobs of experiment $1 that `$which` names; `kept` steps of each series, $2 from one to the next; and
/// `surplus`, the points at other steps.
macro_rules! with_surplus {
    ($which:literal, $statement:literal) => {
        concat!(
            "WITH points AS (
                 SELECT p.job_id, p.series_id, p.step, p.value
                 FROM jobs j JOIN metric_points p ON p.job_id = j.id
                 WHERE j.experiment_id = $1 AND ",
            $which,
            "
             ), kept AS (
                 SELECT series_id, step FROM (
                     SELECT series_id, step, row_number() OVER (PARTITION BY series_id ORDER BY step) AS place
                     FROM (SELECT DISTINCT series_id, step FROM points) steps
                 ) places
                 WHERE (place - 1) % $2 = 0
                 UNION
                 SELECT series_id, step FROM (
                     SELECT series_id, step,
                         row_number() OVER (PARTITION BY job_id, series_id ORDER BY step) AS from_start,
                         row_number() OVER (PARTITION BY job_id, series_id ORDER BY step DESC) AS from_end,
                         row_number() OVER (PARTITION BY job_id, series_id ORDER BY value, step) AS from_lowest,
                         row_number() OVER (PARTITION BY job_id, series_id ORDER BY value DESC, step) AS from_highest
                     FROM points
                 ) ranks
                 WHERE 1 IN (from_start, from_end, from_lowest, from_highest)
             ), surplus AS (
                 SELECT p.job_id, p.series_id, p.step
                 FROM points p LEFT JOIN kept k ON k.series_id = p.series_id AND k.step = p.step
                 WHERE k.step IS NULL
             ) ",
            $statement
        )
    };
}

impl Store {
    /// The effect that [`Store::thin`] would have now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn would_thin(&self, experiment: ExperimentId, every: i64) -> Result<Thinned, StoreError> {
        let mut reader = self.read().await?;
        check(&mut reader, experiment).await?;
        let (jobs, points, deleted) = sql(with_surplus!(
            "j.state IN ('succeeded', 'failed', 'cancelled')",
            "SELECT (
                 SELECT count(*) FROM jobs
                 WHERE experiment_id = $1 AND state IN ('succeeded', 'failed', 'cancelled')
             ), (SELECT count(*) FROM points), (SELECT count(*) FROM surplus)"
        ))
        .bind(experiment)
        .bind(every)
        .fetch_one(&mut reader)
        .await?;
        Ok(Thinned { jobs, points, deleted })
    }

    /// Deletes the points permanently, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn thin(&self, experiment: ExperimentId, every: i64) -> Result<Thinned, StoreError> {
        let mut tx = self.begin().await?;
        check(&mut tx, experiment).await?;
        // First, so that no job is retried meanwhile, and so that readers of the curves fetch them again.
        let version = next_version(&mut tx).await?;
        let jobs: Vec<(JobId,)> = sql("UPDATE jobs SET version = $2
             WHERE experiment_id = $1 AND state IN ('succeeded', 'failed', 'cancelled') RETURNING id")
        .bind(experiment)
        .bind(version)
        .fetch_all(&mut tx)
        .await?;
        let points = sql("SELECT count(*) FROM jobs j JOIN metric_points p ON p.job_id = j.id
             WHERE j.experiment_id = $1 AND j.version = $2")
        .bind(experiment)
        .bind(version)
        .fetch_number(&mut tx)
        .await?;
        let deleted = sql(with_surplus!(
            "j.version = $3",
            "DELETE FROM metric_points
             WHERE (job_id, series_id, step) IN (SELECT job_id, series_id, step FROM surplus)"
        ))
        .bind(experiment)
        .bind(every)
        .bind(version)
        .execute(&mut tx)
        .await?;
        for &(job,) in &jobs {
            // A retry must not resume from a checkpoint, because the points before it would stay thinned.
            forget_checkpoints_after(&mut tx, job, -1).await?;
            // The levels of detail still contain the deleted points.
            forget(&mut tx, job).await?;
            condense_job(&mut tx, job).await?;
        }
        self.commit(tx).await?;
        Ok(Thinned { jobs: jobs.len() as i64, points, deleted: deleted as i64 })
    }
}

async fn check(on: &mut impl Connect, experiment: ExperimentId) -> Result<(), StoreError> {
    let known: Option<(ExperimentId,)> =
        sql("SELECT id FROM experiments WHERE id = $1").bind(experiment).fetch_optional(on).await?;
    known.ok_or(NotFound::Experiment(experiment))?;
    Ok(())
}
