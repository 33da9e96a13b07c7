//! Tables `series` and `metric_points`.

use std::collections::{BTreeMap, HashMap};
use std::sync::RwLock;

use async_trait::async_trait;
use optlab_spec::protocol::Point;
use optlab_spec::series;
use sqlx::FromRow;

use super::SqlStore;
use super::statement::{Transaction, sql};
use crate::store::{ArmPoints, CurvePoint, Metrics, Series, StoreError};

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

#[async_trait]
impl Metrics for SqlStore {
    async fn series(&self, name: &str) -> Result<Option<Series>, StoreError> {
        let row: Option<SeriesRow> = sql("SELECT name, unit, higher_is_better FROM series WHERE name = $1")
            .bind(name)
            .fetch_optional(&mut self.read().await?)
            .await?;
        Ok(row.map(Series::from))
    }

    async fn series_of_experiment(&self, experiment: i64) -> Result<Vec<Series>, StoreError> {
        let rows: Vec<SeriesRow> = sql("SELECT s.name, s.unit, s.higher_is_better FROM series s
             WHERE EXISTS (
                 SELECT 1 FROM jobs j CROSS JOIN metric_points p
                 WHERE j.experiment_id = $1 AND p.job_id = j.id AND p.series_id = s.id
             )
             ORDER BY s.name")
        .bind(experiment)
        .fetch_all(&mut self.read().await?)
        .await?;
        Ok(rows.into_iter().map(Series::from).collect())
    }

    async fn series_of_job(&self, job: i64) -> Result<Vec<Series>, StoreError> {
        let rows: Vec<SeriesRow> = sql("SELECT s.name, s.unit, s.higher_is_better FROM series s
             WHERE EXISTS (SELECT 1 FROM metric_points p WHERE p.job_id = $1 AND p.series_id = s.id)
             ORDER BY s.name")
        .bind(job)
        .fetch_all(&mut self.read().await?)
        .await?;
        Ok(rows.into_iter().map(Series::from).collect())
    }

    async fn curve(&self, job: i64, series: &str, after_step: i64) -> Result<Vec<CurvePoint>, StoreError> {
        let rows: Vec<CurveRow> =
            sql("SELECT p.step, p.value FROM metric_points p JOIN series s ON s.id = p.series_id
             WHERE p.job_id = $1 AND s.name = $2 AND p.step > $3 ORDER BY p.step")
            .bind(job)
            .bind(series)
            .bind(after_step)
            .fetch_all(&mut self.read().await?)
            .await?;
        Ok(rows.into_iter().map(|row| CurvePoint { step: row.step, value: row.value }).collect())
    }

    async fn arm_points(&self, experiment: i64, series: &str) -> Result<Vec<ArmPoints>, StoreError> {
        let rows: Vec<ArmRow> = sql("SELECT j.arm_position, j.arm, p.step, p.value
             FROM jobs j CROSS JOIN series s CROSS JOIN metric_points p
             WHERE j.experiment_id = $1 AND s.name = $2 AND p.job_id = j.id AND p.series_id = s.id
             ORDER BY j.arm_position, p.step, j.seed")
        .bind(experiment)
        .bind(series)
        .fetch_all(&mut self.read().await?)
        .await?;
        let mut arms: Vec<(i64, ArmPoints)> = Vec::new();
        for row in rows {
            let point = CurvePoint { step: row.step, value: row.value };
            match arms.last_mut().filter(|(position, _)| *position == row.arm_position) {
                Some((_, arm)) => arm.points.push(point),
                None => arms.push((row.arm_position, ArmPoints { arm: row.arm, points: vec![point] })),
            }
        }
        Ok(arms.into_iter().map(|(_, arm)| arm).collect())
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

impl SqlStore {
    /// The id of each point's series. New ones are committed at once and by themselves: two attempts that met new names
    /// in different orders, each in its transaction, would wait for each other.
    pub(super) async fn series_ids(&self, points: &[Point]) -> Result<Vec<i64>, StoreError> {
        let mut ids = Vec::with_capacity(points.len());
        for point in points {
            ids.push(match self.series_ids.get(&point.series) {
                Some(id) => id,
                None => self.new_series(&point.series).await?,
            });
        }
        Ok(ids)
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

/// Inside the transaction of an attempt. A point that stands already is the same point sent again. `ids` are those of
/// the points' series.
pub(super) async fn insert_points(
    tx: &mut Transaction,
    job: i64,
    points: &[Point],
    ids: &[i64],
) -> Result<(), StoreError> {
    if points.is_empty() {
        return Ok(());
    }
    if let Transaction::Postgres(_) = tx {
        // One statement for the whole batch. It may not meet a row twice: of a point that was sent twice it takes the last.
        let last: BTreeMap<(i64, u64), &Point> =
            points.iter().zip(ids).map(|(point, &id)| ((id, point.step), point)).collect();
        sql("INSERT INTO metric_points (job_id, series_id, step, value, time_ms)
             SELECT $1, * FROM unnest($2, $3, $4, $5)
             ON CONFLICT (job_id, series_id, step) DO UPDATE SET value = excluded.value, time_ms = excluded.time_ms")
        .bind(job)
        .bind(last.keys().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind(last.keys().map(|(_, step)| *step as i64).collect::<Vec<_>>())
        .bind(last.values().map(|point| point.value).collect::<Vec<_>>())
        .bind(last.values().map(|point| point.time_ms).collect::<Vec<_>>())
        .execute(tx)
        .await?;
        return Ok(());
    }
    for (point, &id) in points.iter().zip(ids) {
        sql("INSERT INTO metric_points (job_id, series_id, step, value, time_ms) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (job_id, series_id, step) DO UPDATE SET value = excluded.value, time_ms = excluded.time_ms")
        .bind(job)
        .bind(id)
        .bind(point.step as i64)
        .bind(point.value)
        .bind(point.time_ms)
        .execute(tx)
        .await?;
    }
    Ok(())
}
