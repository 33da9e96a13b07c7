//! The series of jobs.

use std::collections::HashMap;
use std::sync::RwLock;

use optlab_domain::{ExperimentId, JobId, series};
use optlab_spec::protocol::Point;
use sqlx_macros::FromRow;

use crate::store::database::sql;
use crate::store::jobs::begun;
use crate::store::{Store, StoreError};

/// A named curve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// For example `test/accuracy`.
    pub name: String,
    /// Unit of its values.
    pub unit: String,
    /// Whether higher values are better; `None` if neither direction is.
    pub higher_is_better: Option<bool>,
}

#[derive(FromRow)]
struct SeriesRow {
    name: String,
    unit: String,
    higher_is_better: Option<i64>,
}

impl From<SeriesRow> for Series {
    fn from(row: SeriesRow) -> Self {
        Self { name: row.name, unit: row.unit, higher_is_better: row.higher_is_better.map(|flag| flag != 0) }
    }
}

impl Store {
    /// The series of this name, with or without points.
    pub async fn series(&self, name: &str) -> Result<Option<Series>, StoreError> {
        let row: Option<SeriesRow> = sql("SELECT name, unit, higher_is_better FROM series WHERE name = $1")
            .bind(name)
            .fetch_optional(&mut self.read().await?)
            .await?;
        Ok(row.map(Series::from))
    }

    /// The series with points of any job of the experiment.
    pub async fn series_of_experiment(&self, experiment: ExperimentId) -> Result<Vec<Series>, StoreError> {
        let rows: Vec<SeriesRow> = sql(concat!(
            "SELECT s.name, s.unit, s.higher_is_better FROM series s
             WHERE EXISTS (
                 SELECT 1 FROM jobs j CROSS JOIN metric_points p
                 WHERE j.experiment_id = $1 AND ",
            begun!(),
            " AND p.job_id = j.id AND p.series_id = s.id
             )
             ORDER BY s.name"
        ))
        .bind(experiment)
        .fetch_all(&mut self.read().await?)
        .await?;
        Ok(rows.into_iter().map(Series::from).collect())
    }

    /// The series with points of the job.
    pub async fn series_of_job(&self, job: JobId) -> Result<Vec<Series>, StoreError> {
        let rows: Vec<SeriesRow> = sql("SELECT s.name, s.unit, s.higher_is_better FROM series s
             WHERE EXISTS (SELECT 1 FROM metric_points p WHERE p.job_id = $1 AND p.series_id = s.id)
             ORDER BY s.name")
        .bind(job)
        .fetch_all(&mut self.read().await?)
        .await?;
        Ok(rows.into_iter().map(Series::from).collect())
    }
}

/// Ids of series by their names, which never change.
#[derive(Default)]
pub(super) struct SeriesIds(RwLock<HashMap<String, i64>>);

impl SeriesIds {
    fn get(&self, name: &str) -> Option<i64> {
        self.0.read().expect("no holder panics").get(name).copied()
    }

    fn insert(&self, name: &str, id: i64) {
        self.0.write().expect("no holder panics").insert(name.to_owned(), id);
    }
}

impl Store {
    /// The id of each point's series. New ones are committed at once in their own transaction, because two attempts
    /// that insert new names in different orders would otherwise wait for each other.
    pub(super) async fn series_ids(&self, points: &[Point]) -> Result<Vec<i64>, StoreError> {
        let mut ids = Vec::with_capacity(points.len());
        for point in points {
            ids.push(self.series_id(&point.series).await?);
        }
        Ok(ids)
    }

    /// As [`Self::series_ids`], for one series by its name.
    pub(super) async fn series_id(&self, name: &str) -> Result<i64, StoreError> {
        match self.series_ids.get(name) {
            Some(id) => Ok(id),
            None => self.new_series(name).await,
        }
    }

    async fn new_series(&self, name: &str) -> Result<i64, StoreError> {
        let about = series::about(name);
        let mut tx = self.begin().await?;
        sql("INSERT INTO series (name, unit, higher_is_better) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(about.unit)
            .bind(about.higher_is_better.map(i64::from))
            .execute(&mut tx)
            .await?;
        let id = sql("SELECT id FROM series WHERE name = $1").bind(name).fetch_number(&mut tx).await?;
        self.commit(tx).await?;
        self.series_ids.insert(name, id);
        Ok(id)
    }
}
