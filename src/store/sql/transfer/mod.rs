//! Experiments that leave for and come from other servers.

mod import;
mod records;
mod staged;

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::statement::sql;
use super::{Database, SqlStore};
use crate::store::{CurveBatch, ExperimentRecord, Import, JobRecord, StoreError, TimedPoint, Transfer};

#[async_trait]
impl Transfer for SqlStore {
    async fn records(&self, experiment: i64) -> Result<(ExperimentRecord, Vec<JobRecord>), StoreError> {
        // An experiment, its jobs and their figures of one moment.
        let mut moment = self.snapshot().await?;
        let records = records::read(&mut moment, experiment).await?;
        moment.rollback().await?;
        Ok(records)
    }

    async fn points(
        &self,
        job: &JobRecord,
        series: &str,
        after_step: i64,
        limit: i64,
    ) -> Result<Vec<TimedPoint>, StoreError> {
        let mut reader = self.read().await?;
        let rows: Vec<(i64, f64, i64)> = sql("SELECT step, value, time_ms FROM metric_points
             WHERE job_id = $1 AND series_id = (SELECT id FROM series WHERE name = $2) AND step > $3
             ORDER BY step LIMIT $4")
        .bind(job.id)
        .bind(series)
        .bind(after_step)
        .bind(limit)
        .fetch_all(&mut reader)
        .await?;
        // Both are written before any point is deleted.
        let (attempt, version): (i64, i64) = sql("SELECT attempt, version FROM jobs WHERE id = $1")
            .bind(job.id)
            .fetch_one(&mut reader)
            .await?;
        if attempt != job.attempt {
            return Err(StoreError::Conflict(format!(
                "attempt {attempt} of job {} has begun meanwhile",
                job.id
            )));
        }
        if job.state.has_ended() && version != job.version {
            return Err(StoreError::Conflict(format!("job {} was changed meanwhile", job.id)));
        }
        Ok(rows.into_iter().map(|(step, value, time_ms)| TimedPoint { step, value, time_ms }).collect())
    }

    async fn import(
        &self,
        import: &Import,
        mut points: mpsc::Receiver<CurveBatch>,
    ) -> Result<i64, StoreError> {
        // Beforehand, because new series are committed by themselves.
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
        let (experiment, jobs) = import::insert(&mut tx, import, None, now).await?;
        import::insert_points(&mut tx, &jobs, &series, import.points, &mut points).await?;
        self.commit(tx).await?;
        Ok(experiment)
    }

    async fn remove_unfinished_imports(&self) -> Result<(), StoreError> {
        match &self.database {
            Database::Sqlite(sqlite) => staged::remove_unfinished(sqlite).await,
            // Postgres imports in one transaction, so nothing is left of one that died.
            Database::Postgres(_) => Ok(()),
        }
    }
}
