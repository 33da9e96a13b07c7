//! Final figures of jobs, and the environments that a fair comparison checks.

use std::collections::HashMap;

use optlab_domain::database::JsonText;
use optlab_domain::{EndReason, ExperimentId, HeldOut, JobId, JobState, series};
use optlab_spec::protocol::Environment;
use sqlx_macros::FromRow;

use crate::store::database::{Transaction, sql};
use crate::store::jobs::begun;
use crate::store::{Store, StoreError};

/// A job with its final figures, once it has succeeded.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct JobFigures {
    /// Its id.
    pub job_id: JobId,
    /// The arm's name.
    pub arm: String,
    /// The job's seed.
    pub seed: i64,
    /// Where it is in its life.
    pub state: JobState,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// What went wrong, in a sentence.
    pub error: Option<String>,
    /// Accuracy of the last evaluation, in percent.
    pub test_accuracy: Option<f64>,
    /// Accuracy of the evaluation that was best on the test set itself.
    pub best_test_accuracy: Option<f64>,
    /// Accuracy of the last evaluation on the validation set, in percent.
    pub validation_accuracy: Option<f64>,
    /// Accuracy of the evaluation that was best on the validation set.
    pub best_validation_accuracy: Option<f64>,
    /// Last mean energy.
    pub energy: Option<f64>,
    /// Wall time of the run.
    pub seconds: Option<f64>,
    /// Peak memory: of the runner's process on a CPU, of its tensors on a GPU.
    pub peak_memory_bytes: Option<i64>,
    /// Number of trained parameters.
    pub parameters_trained: Option<i64>,
}

/// The last evaluations of a succeeded job.
#[derive(Clone, Copy, Debug, PartialEq, FromRow)]
pub struct LastEvaluations {
    /// Number of stored ones, which is smaller for thinned curves.
    pub n: i64,
    /// Completed updates at the first of them.
    pub first_step: i64,
    /// Their mean, in percent.
    pub accuracy: f64,
}

#[derive(FromRow)]
struct LastRow {
    job_id: JobId,
    #[sqlx(flatten)]
    evaluations: LastEvaluations,
}

impl Store {
    /// Every job of the experiment that counts in the comparison, by arm in the order of the spec, then by seed.
    pub async fn figures(&self, experiment: ExperimentId) -> Result<Vec<JobFigures>, StoreError> {
        sql("SELECT j.id AS job_id, j.arm, j.seed, j.state, j.end_reason, j.error,
                 r.test_accuracy, r.best_test_accuracy, r.validation_accuracy, r.best_validation_accuracy,
                 r.energy, a.seconds, r.peak_memory_bytes, j.parameters_trained
             FROM jobs j
             LEFT JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
             LEFT JOIN results r ON r.job_id = j.id
             WHERE j.experiment_id = $1 AND j.phase = 'confirm'
             ORDER BY j.arm_position, j.seed")
        .bind(experiment)
        .fetch_all(&mut self.read().await?)
        .await
    }

    /// At most `last` evaluations on a set of each succeeded job, by the id of the job.
    pub async fn last_evaluations(
        &self,
        experiment: ExperimentId,
        set: HeldOut,
        last: i64,
    ) -> Result<HashMap<JobId, LastEvaluations>, StoreError> {
        let rows: Vec<LastRow> =
            sql("SELECT job_id, count(*) AS n, min(step) AS first_step, avg(value) AS accuracy
             FROM (
                 SELECT p.job_id, p.step, p.value,
                     row_number() OVER (PARTITION BY p.job_id ORDER BY p.step DESC) AS place
                 FROM jobs j CROSS JOIN series s CROSS JOIN metric_points p
                 WHERE j.experiment_id = $1 AND j.state = 'succeeded' AND s.name = $3
                   AND p.job_id = j.id AND p.series_id = s.id
             ) evaluations
             WHERE place <= $2
             GROUP BY job_id")
            .bind(experiment)
            .bind(last)
            .bind(set.accuracy())
            .fetch_all(&mut self.read().await?)
            .await?;
        Ok(rows.into_iter().map(|row| (row.job_id, row.evaluations)).collect())
    }

    /// The environments of each started job, by its id: those of the attempts that contributed to its curve, the oldest
    /// first.
    pub async fn environments(
        &self,
        experiment: ExperimentId,
    ) -> Result<HashMap<JobId, Vec<Environment>>, StoreError> {
        // A curve consists of the last attempt that started at step 0 and of those that resumed from it.
        let rows: Vec<(JobId, JsonText<Environment>)> = sql(concat!(
            "SELECT a.job_id, a.environment
             FROM jobs j JOIN attempts a ON a.job_id = j.id
             WHERE j.experiment_id = $1 AND ",
            begun!(),
            " AND a.environment IS NOT NULL AND a.number >= (
                 SELECT max(b.number) FROM attempts b
                 WHERE b.job_id = j.id AND b.environment IS NOT NULL AND b.start_step = 0
             )
             ORDER BY a.job_id, a.number"
        ))
        .bind(experiment)
        .fetch_all(&mut self.read().await?)
        .await?;
        let mut environments: HashMap<JobId, Vec<Environment>> = HashMap::new();
        for (job, JsonText(environment)) in rows {
            environments.entry(job).or_default().push(environment);
        }
        Ok(environments)
    }
}

/// The last value of the series in a parameter, of the job $1 or another.
macro_rules! last_point {
    ($series:literal) => {
        last_point!($series, "$1")
    };
    ($series:literal, $job:literal) => {
        concat!(
            "(SELECT p.value FROM metric_points p JOIN series s ON s.id = p.series_id
              WHERE p.job_id = ",
            $job,
            " AND s.name = ",
            $series,
            " ORDER BY p.step DESC LIMIT 1)"
        )
    };
}
pub(super) use last_point;

/// The highest value of the series in a parameter, of the job $1.
macro_rules! highest_point {
    ($series:literal) => {
        concat!(
            "(SELECT max(p.value) FROM metric_points p JOIN series s ON s.id = p.series_id
              WHERE p.job_id = $1 AND s.name = ",
            $series,
            ")"
        )
    };
}

/// Stores the figures of a succeeded job in the transaction of its end, when all of its points are stored.
pub(super) async fn insert_result(
    tx: &mut Transaction,
    job: JobId,
    peak_memory_bytes: Option<u64>,
) -> Result<(), StoreError> {
    sql(concat!(
        "INSERT INTO results (job_id, test_accuracy, best_test_accuracy, validation_accuracy, best_validation_accuracy,
             energy, peak_memory_bytes)
         SELECT $1, ",
        last_point!("$3"),
        ", ",
        highest_point!("$3"),
        ", ",
        last_point!("$4"),
        ", ",
        highest_point!("$4"),
        ", ",
        last_point!("$5"),
        ", $2"
    ))
    .bind(job)
    .bind(peak_memory_bytes.map(|bytes| bytes as i64))
    .bind(series::TEST_ACCURACY)
    .bind(series::VALIDATION_ACCURACY)
    .bind(series::ENERGY_MEAN)
    .execute(tx)
    .await?;
    Ok(())
}
