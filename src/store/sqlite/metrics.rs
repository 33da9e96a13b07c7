//! Tables `series` and `metric_points`, and the view `job_summary`.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use optlab_spec::protocol::Point;
use optlab_spec::series;
use sqlx::{FromRow, SqliteConnection};

use super::Sqlite;
use crate::store::{ArmPoints, CurvePoint, JobFigures, Metrics, Series, StoreError};

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

#[derive(FromRow)]
struct CurveRow {
    step: i64,
    value: f64,
}

#[derive(FromRow)]
struct ArmRow {
    arm_position: i64,
    arm: String,
    step: i64,
    value: f64,
}

#[derive(FromRow)]
struct FiguresRow {
    arm: String,
    seed: i64,
    test_error: Option<f64>,
    energy: Option<f64>,
    seconds: Option<f64>,
}

#[async_trait]
impl Metrics for Sqlite {
    async fn series(&self, name: &str) -> Result<Option<Series>, StoreError> {
        let row: Option<SeriesRow> =
            sqlx::query_as("SELECT name, unit, higher_is_better FROM series WHERE name = $1")
                .bind(name)
                .fetch_optional(&self.readers)
                .await?;
        Ok(row.map(Series::from))
    }

    async fn series_of_experiment(&self, experiment: i64) -> Result<Vec<Series>, StoreError> {
        let rows: Vec<SeriesRow> = sqlx::query_as(
            "SELECT s.name, s.unit, s.higher_is_better FROM series s
             WHERE EXISTS (
                 SELECT 1 FROM jobs j CROSS JOIN metric_points p
                 WHERE j.experiment_id = $1 AND p.job_id = j.id AND p.series_id = s.id
             )
             ORDER BY s.name",
        )
        .bind(experiment)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(Series::from).collect())
    }

    async fn series_of_job(&self, job: i64) -> Result<Vec<Series>, StoreError> {
        let rows: Vec<SeriesRow> = sqlx::query_as(
            "SELECT s.name, s.unit, s.higher_is_better FROM series s
             WHERE EXISTS (SELECT 1 FROM metric_points p WHERE p.job_id = $1 AND p.series_id = s.id)
             ORDER BY s.name",
        )
        .bind(job)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(Series::from).collect())
    }

    async fn curve(&self, job: i64, series: &str, after_step: i64) -> Result<Vec<CurvePoint>, StoreError> {
        let rows: Vec<CurveRow> = sqlx::query_as(
            "SELECT p.step, p.value FROM metric_points p JOIN series s ON s.id = p.series_id
             WHERE p.job_id = $1 AND s.name = $2 AND p.step > $3 ORDER BY p.step",
        )
        .bind(job)
        .bind(series)
        .bind(after_step)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(|row| CurvePoint { step: row.step, value: row.value }).collect())
    }

    async fn arm_points(&self, experiment: i64, series: &str) -> Result<Vec<ArmPoints>, StoreError> {
        let mut rows = sqlx::query_as::<_, ArmRow>(
            "SELECT j.arm_position, j.arm, p.step, p.value
             FROM jobs j CROSS JOIN series s CROSS JOIN metric_points p
             WHERE j.experiment_id = $1 AND s.name = $2 AND p.job_id = j.id AND p.series_id = s.id
             ORDER BY j.arm_position, p.step, j.seed",
        )
        .bind(experiment)
        .bind(series)
        .fetch(&self.readers);
        let mut arms: Vec<(i64, ArmPoints)> = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let point = CurvePoint { step: row.step, value: row.value };
            match arms.last_mut().filter(|(position, _)| *position == row.arm_position) {
                Some((_, arm)) => arm.points.push(point),
                None => arms.push((row.arm_position, ArmPoints { arm: row.arm, points: vec![point] })),
            }
        }
        Ok(arms.into_iter().map(|(_, arm)| arm).collect())
    }

    async fn figures(&self, experiment: i64) -> Result<Vec<JobFigures>, StoreError> {
        let rows: Vec<FiguresRow> = sqlx::query_as(
            "SELECT arm, seed, test_error, energy, seconds FROM job_summary WHERE experiment_id = $1",
        )
        .bind(experiment)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| JobFigures {
                arm: row.arm,
                seed: row.seed,
                test_error: row.test_error,
                energy: row.energy,
                seconds: row.seconds,
            })
            .collect())
    }
}

/// Inside the transaction of an attempt. A point that stands already is the same point sent again.
pub(super) async fn insert_points(
    tx: &mut SqliteConnection,
    job: i64,
    points: &[Point],
) -> Result<(), StoreError> {
    let mut known: Vec<(&str, i64)> = Vec::new();
    for point in points {
        let series_id = match known.iter().find(|(name, _)| *name == point.series) {
            Some((_, id)) => *id,
            None => {
                let id = series_id(tx, &point.series).await?;
                known.push((&point.series, id));
                id
            }
        };
        sqlx::query(
            "INSERT INTO metric_points (job_id, series_id, step, value, time_ms) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (job_id, series_id, step) DO UPDATE SET value = excluded.value, time_ms = excluded.time_ms",
        )
        .bind(job)
        .bind(series_id)
        .bind(point.step as i64)
        .bind(point.value)
        .bind(point.time_ms)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

async fn series_id(tx: &mut SqliteConnection, name: &str) -> Result<i64, StoreError> {
    let id: Option<i64> = sqlx::query_scalar("SELECT id FROM series WHERE name = $1")
        .bind(name)
        .fetch_optional(&mut *tx)
        .await?;
    if let Some(id) = id {
        return Ok(id);
    }
    let about = series::about(name);
    Ok(sqlx::query_scalar(
        "INSERT INTO series (name, unit, higher_is_better) VALUES ($1, $2, $3) RETURNING id",
    )
    .bind(name)
    .bind(about.unit)
    .bind(about.higher_is_better.map(i64::from))
    .fetch_one(tx)
    .await?)
}
