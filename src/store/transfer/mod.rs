//! Export and import of experiments between servers, with every point.

mod import;
mod records;
mod staged;

use optlab_domain::database::JsonText;
use optlab_domain::time::as_rfc3339;
use optlab_domain::{AttemptNumber, ExperimentId, JobId, JobRecord, Provenance};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx_macros::FromRow;
use tokio::sync::mpsc;

use crate::store::database::{Database, sql};
use crate::store::{Attempt, Choice, NotFound, Store, StoreError};

/// An experiment as it was stored. Fields of a later version are ignored when it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromRow)]
pub struct ExperimentRecord {
    /// Its id on its original server; another server assigns another one.
    pub id: ExperimentId,
    /// The researcher's name for it.
    pub name: String,
    /// Free text.
    pub notes: String,
    /// Words for searches.
    pub tags: JsonText<Vec<String>>,
    /// Whether it is archived.
    pub archived: bool,
    /// The spec as resolved at submission.
    pub spec: JsonText<Value>,
    /// The text that was submitted for it.
    #[serde(default)]
    pub submitted_text: Option<String>,
    /// When it was submitted, milliseconds since the epoch.
    #[serde(rename = "created_at", with = "as_rfc3339")]
    pub created_ms: i64,
    /// Where it was submitted.
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub provenance: Provenance,
    /// The choices of its tuned arms.
    #[serde(default)]
    #[sqlx(skip)]
    pub choices: Vec<Choice>,
}

/// A job with its spec, figures and attempts, without its files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromRow)]
pub struct ExportedJob {
    /// Its row. Another server assigns other ids.
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub record: JobRecord,
    /// The complete spec, as the runner got it.
    pub spec: JsonText<Value>,
    /// Attempts that do not count.
    pub attempts_before: i64,
    /// Number of trained parameters.
    pub parameters_trained: Option<i64>,
    /// Version of its last write on its original server.
    #[serde(skip)]
    pub version: i64,
    /// Its final figures.
    #[serde(default)]
    #[sqlx(skip)]
    pub results: ResultsRecord,
    /// Its attempts, the oldest first.
    #[sqlx(skip)]
    pub attempts: Vec<Attempt>,
}

/// Final figures, which only a job that has succeeded has; accuracies and errors in percent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, FromRow)]
pub struct ResultsRecord {
    /// The last accuracy.
    pub test_accuracy: Option<f64>,
    /// The highest accuracy of the run.
    pub best_test_accuracy: Option<f64>,
    /// 100 minus the accuracy.
    pub test_error: Option<f64>,
    /// The last accuracy on the validation set.
    pub validation_accuracy: Option<f64>,
    /// The highest accuracy on the validation set.
    pub best_validation_accuracy: Option<f64>,
    /// 100 minus the last accuracy on the validation set.
    pub validation_error: Option<f64>,
    /// Last mean energy.
    pub energy: Option<f64>,
    /// Wall time of the run.
    pub seconds: Option<f64>,
    /// Peak memory: of the runner's process on a CPU, of its tensors on a GPU.
    pub peak_memory_bytes: Option<i64>,
}

/// A point with the time of its measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedPoint {
    /// Completed updates.
    pub step: i64,
    /// In the unit of the series; finite.
    pub value: f64,
    /// Wall clock, milliseconds since the epoch.
    pub time_ms: i64,
}

/// Points of one curve, in the order of their steps.
#[derive(Clone, Debug, PartialEq)]
pub struct CurveBatch {
    /// Position of the job in the records.
    pub job: usize,
    /// Name of the series.
    pub series: String,
    /// At least one.
    pub points: Vec<TimedPoint>,
}

/// An import without its points, with the ids of the original server.
#[derive(Clone, Debug)]
pub struct Import {
    /// The experiment.
    pub experiment: ExperimentRecord,
    /// The jobs: one for each arm and seed of the spec, and the trials of tuned arms.
    pub jobs: Vec<ExportedJob>,
    /// Every series that has points.
    pub series: Vec<String>,
    /// Number of points.
    pub points: u64,
}

impl Store {
    /// An experiment and its jobs, oldest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn records(
        &self,
        experiment: ExperimentId,
    ) -> Result<(ExperimentRecord, Vec<ExportedJob>), StoreError> {
        // One snapshot of the experiment, its jobs and their figures.
        let mut snapshot = self.snapshot().await?;
        let records = records::read(&mut snapshot, experiment).await?;
        snapshot.rollback().await?;
        Ok(records)
    }

    /// At most `limit` points of a curve after a step, if the job is unchanged since it was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a later attempt has begun, or an ended job was changed, for example by thinning: the
    /// points that were read before may not belong to this curve.
    pub async fn points(
        &self,
        job: &ExportedJob,
        series: &str,
        after_step: i64,
        limit: i64,
    ) -> Result<Vec<TimedPoint>, StoreError> {
        let mut reader = self.read().await?;
        let rows: Vec<(i64, f64, i64)> = sql("SELECT step, value, time_ms FROM metric_points
             WHERE job_id = $1 AND series_id = (SELECT id FROM series WHERE name = $2) AND step > $3
             ORDER BY step LIMIT $4")
        .bind(job.record.id)
        .bind(series)
        .bind(after_step)
        .bind(limit)
        .fetch_all(&mut reader)
        .await?;
        // Both are written before any point is deleted.
        let now: Option<(AttemptNumber, i64)> = sql("SELECT attempt, version FROM jobs WHERE id = $1")
            .bind(job.record.id)
            .fetch_optional(&mut reader)
            .await?;
        let (attempt, version) = now.ok_or(NotFound::Job(job.record.id))?;
        if attempt != job.record.attempt {
            return Err(StoreError::Conflict(format!(
                "attempt {attempt} of job {} has begun meanwhile",
                job.record.id
            )));
        }
        if job.record.state.has_ended() && version != job.version {
            return Err(StoreError::Conflict(format!("job {} was changed meanwhile", job.record.id)));
        }
        Ok(rows.into_iter().map(|(step, value, time_ms)| TimedPoint { step, value, time_ms }).collect())
    }

    /// Stores an experiment under new ids and returns the id of the experiment. Nothing of it is visible until every
    /// point is stored, and other writers can write meanwhile. Imported jobs are a record and are not trained: a job
    /// that had not ended is imported as cancelled.
    ///
    /// # Errors
    /// [`StoreError::BrokenOff`] if fewer points arrive than announced; [`StoreError::Busy`] while another process
    /// removes leftovers of a dead import.
    pub async fn import(
        &self,
        import: &Import,
        mut points: mpsc::Receiver<CurveBatch>,
    ) -> Result<ExperimentId, StoreError> {
        // Beforehand, because new series are committed in their own transaction.
        let mut series = Vec::with_capacity(import.series.len());
        for name in &import.series {
            series.push((name.as_str(), self.series_id(name).await?));
        }
        let series = series.into_iter().collect();
        if let Database::Sqlite(sqlite) = &self.database {
            return staged::import(self, sqlite, import, &series, &mut points).await;
        }
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let ids: Vec<(JobId,)> =
            sql("SELECT nextval(pg_get_serial_sequence('jobs', 'id')) FROM generate_series(1, $1)")
                .bind(import.jobs.len() as i64)
                .fetch_all(&mut tx)
                .await?;
        let ids: Vec<JobId> = ids.into_iter().map(|(id,)| id).collect();
        let experiment = import::insert(&mut tx, import, &ids, now).await?;
        import::insert_points(&mut tx, &ids, &series, import.points, &mut points).await?;
        self.commit(tx).await?;
        Ok(experiment)
    }

    /// Removes the staged points of imports whose process died, unless an import is running in any process.
    pub async fn remove_unfinished_imports(&self) -> Result<(), StoreError> {
        match &self.database {
            Database::Sqlite(sqlite) => staged::remove_unfinished(sqlite).await,
            // Postgres imports in one transaction, so nothing is left of one that died.
            Database::Postgres(_) => Ok(()),
        }
    }
}
