//! The most frequent write: a batch of points, the step, and the renewed lease. It is atomic, and fails for an attempt
//! that no longer has the job.

use std::collections::BTreeMap;

use optlab_domain::{Lease, Request};
use optlab_spec::protocol::Point;
use sqlx_macros::FromRow;

use super::fence::may_write;
use crate::store::StoreError;
use crate::store::database::{Reader, Statement, Transaction, sql};
use crate::store::version::new_version;

/// A report of an attempt.
pub(super) struct Record<'a> {
    pub(super) lease: Lease,
    pub(super) points: &'a [Point],
    /// Series of the points.
    pub(super) series_ids: Vec<i64>,
    /// Completed updates.
    pub(super) step: Option<u64>,
    pub(super) lease_ms: i64,
    /// `None` for the database's own time.
    pub(super) now_ms: Option<i64>,
}

/// The attempt has the job.
#[derive(FromRow)]
pub(super) struct Held {
    /// The pending request for its worker.
    pub(super) requested: Option<Request>,
}

/// The fence, the lease, the version and the points, with the clause for existing points.
macro_rules! with_points {
    ($conflict:literal) => {
        concat!(
            "WITH held AS (
                 UPDATE jobs
                 SET lease_until_ms = coalesce($3, (extract(epoch FROM clock_timestamp()) * 1000)::BIGINT) + $4,
                     step = coalesce($5, step), version = ",
            new_version!(postgres),
            " WHERE ",
            may_write!(),
            "
                 RETURNING id, requested
             ), written AS (
                 INSERT INTO metric_points (job_id, series_id, step, value, time_ms)
                 SELECT held.id, points.* FROM held, unnest($6, $7, $8, $9) points ",
            $conflict,
            ") SELECT requested FROM held"
        )
    };
}

impl Record<'_> {
    /// Row by row, in one transaction: for SQLite, where a call costs no round trip.
    pub(super) async fn write_rows(&self, tx: &mut Transaction) -> Result<Option<Held>, StoreError> {
        // The fence, the lease and the version are one statement.
        let held = sql(concat!(
            "UPDATE jobs SET lease_until_ms = $3 + $4, step = coalesce($5, step), version = ",
            new_version!(sqlite),
            " WHERE ",
            may_write!(),
            " RETURNING requested"
        ))
        .bind(self.lease.job)
        .bind(self.lease.attempt)
        .bind(self.now_ms)
        .bind(self.lease_ms)
        .bind(self.step.map(|step| step as i64))
        .fetch_optional(tx)
        .await?;
        if held.is_none() {
            return Ok(None);
        }
        for (point, &series) in self.points.iter().zip(&self.series_ids) {
            // An existing point is the same point sent again.
            sql("INSERT INTO metric_points (job_id, series_id, step, value, time_ms) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (job_id, series_id, step) DO UPDATE SET value = excluded.value, time_ms = excluded.time_ms")
            .bind(self.lease.job)
            .bind(series)
            .bind(point.step as i64)
            .bind(point.value)
            .bind(point.time_ms)
            .execute(tx)
            .await?;
        }
        Ok(held)
    }

    /// In one statement, which is also a transaction: for Postgres, where round trips cost the most.
    pub(super) async fn write_at_once(&self, connection: &mut Reader) -> Result<Option<Held>, StoreError> {
        // The statement must not contain a row twice: the last value of a repeated point is taken.
        let points: BTreeMap<(i64, u64), &Point> = self
            .series_ids
            .iter()
            .zip(self.points)
            .map(|(&series, point)| ((series, point.step), point))
            .collect();
        // Handling existing points costs half as much again, and they are rare.
        match self.bind_all(with_points!(""), &points).fetch_optional(connection).await {
            Err(StoreError::Database(error)) if is_duplicate(&error) => {
                let upsert = with_points!(
                    "ON CONFLICT (job_id, series_id, step)
                     DO UPDATE SET value = excluded.value, time_ms = excluded.time_ms"
                );
                self.bind_all(upsert, &points).fetch_optional(connection).await
            }
            result => result,
        }
    }

    fn bind_all(&self, statement: &'static str, points: &BTreeMap<(i64, u64), &Point>) -> Statement {
        sql(statement)
            .bind(self.lease.job)
            .bind(self.lease.attempt)
            .bind(self.now_ms)
            .bind(self.lease_ms)
            .bind(self.step.map(|step| step as i64))
            .bind(points.keys().map(|(series, _)| *series).collect::<Vec<_>>())
            .bind(points.keys().map(|(_, step)| *step as i64).collect::<Vec<_>>())
            .bind(points.values().map(|point| point.value).collect::<Vec<_>>())
            .bind(points.values().map(|point| point.time_ms).collect::<Vec<_>>())
    }
}

fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}
