//! Keeps the levels of detail of curves up to date with their points.
//!
//! Levels are derived and may lag behind: a reader takes the rest from the points. Only complete buckets are condensed,
//! and the last point of a curve is always left, so that a bucket never changes unless points are deleted.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Mutex;
use std::time::Duration;

use optlab_domain::JobId;
use sqlx_macros::FromRow;
use tokio::time::Instant;

use super::block::{block_of, finest_width, levels, pack, unpack};
use crate::stats::{Bucket, CurvePoint, floor, widen};
use crate::store::StoreError;
use crate::store::database::{Connect, Transaction, sql};

/// Number of new points at which a curve is condensed; shorter curves are read directly.
const WORTH_IT: u64 = 512;
/// Interval between condensing the curves of a job, unless one has this many new points before.
const EVERY: Duration = Duration::from_secs(1);
const TOO_MANY: u64 = 16 * WORTH_IT;
/// Maximum number of points per pass, so that no transaction is long.
const MOST_AT_ONCE: i64 = 20_000;

/// Number of new points of each curve since it was last condensed, for the attempts of this process.
#[derive(Default)]
pub(in crate::store) struct Uncondensed(Mutex<HashMap<JobId, NewPoints>>);

/// Counts of one job, by series.
#[derive(Default)]
struct NewPoints {
    counts: HashMap<i64, u64>,
    condensed: Option<Instant>,
}

impl Uncondensed {
    /// Counts new points of a job by series; returns the series that should be condensed now.
    pub(in crate::store) fn count(&self, job: JobId, series: &[i64]) -> BTreeSet<i64> {
        let mut jobs = self.0.lock().expect("no holder panics");
        let NewPoints { counts, condensed } = jobs.entry(job).or_default();
        for id in series {
            *counts.entry(*id).or_default() += 1;
        }
        let enough = if condensed.is_none_or(|time| time.elapsed() >= EVERY) { WORTH_IT } else { TOO_MANY };
        let long: BTreeSet<i64> = counts.extract_if(|_, count| *count >= enough).map(|(id, _)| id).collect();
        if !long.is_empty() {
            *condensed = Some(Instant::now());
        }
        long
    }

    pub(in crate::store) fn forget(&self, job: JobId) {
        self.0.lock().expect("no holder panics").remove(&job);
    }
}

#[derive(FromRow)]
struct Progress {
    width: i64,
    condensed_to: i64,
}

#[derive(FromRow)]
struct PointRow {
    step: i64,
    value: f64,
}

#[derive(FromRow)]
struct BlockRow {
    buckets: Vec<u8>,
}

/// One level of one curve.
#[derive(Clone, Copy)]
struct Level {
    job: JobId,
    series: i64,
    width: i64,
}

/// Condenses the complete buckets of every long curve of the job.
pub(in crate::store) async fn condense_job(tx: &mut Transaction, job: JobId) -> Result<(), StoreError> {
    for series in long_curves(tx, job).await? {
        while condense(tx, job, series).await? {}
    }
    Ok(())
}

/// The series of a job with enough points to condense.
pub(in crate::store) async fn long_curves(on: &mut impl Connect, job: JobId) -> Result<Vec<i64>, StoreError> {
    let long: Vec<(i64,)> = sql("SELECT series_id FROM metric_points WHERE job_id = $1
         GROUP BY series_id HAVING count(*) >= $2 ORDER BY series_id")
    .bind(job)
    .bind(WORTH_IT as i64)
    .fetch_all(on)
    .await?;
    Ok(long.into_iter().map(|(series,)| series).collect())
}

/// One pass over a curve; returns whether another pass would find more. The caller's transaction locks the job.
pub(in crate::store) async fn condense(
    tx: &mut Transaction,
    job: JobId,
    series: i64,
) -> Result<bool, StoreError> {
    let progress: Option<Progress> =
        sql("SELECT width, condensed_to FROM condensed_curves WHERE job_id = $1 AND series_id = $2")
            .bind(job)
            .bind(series)
            .fetch_optional(tx)
            .await?;
    let from = progress.as_ref().map_or(0, |progress| progress.condensed_to);
    let rows: Vec<PointRow> = sql("SELECT step, value FROM metric_points
         WHERE job_id = $1 AND series_id = $2 AND step >= $3 ORDER BY step LIMIT $4")
    .bind(job)
    .bind(series)
    .bind(from)
    .bind(MOST_AT_ONCE)
    .fetch_all(tx)
    .await?;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(false) };
    let finest = progress
        .map_or_else(|| finest_width(last.step - first.step + 1, rows.len()), |progress| progress.width);
    let to = floor(last.step, finest);
    if to <= first.step {
        return Ok(false);
    }
    sql("INSERT INTO condensed_curves (job_id, series_id, width, condensed_to, first_step, first_value)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (job_id, series_id) DO UPDATE SET condensed_to = excluded.condensed_to")
    .bind(job)
    .bind(series)
    .bind(finest)
    .bind(to)
    .bind(first.step)
    .bind(first.value)
    .execute(tx)
    .await?;
    let points = rows.iter().take_while(|row| row.step < to);
    let points = points.map(|row| CurvePoint { step: row.step, value: row.value }.into());
    let level = Level { job, series, width: finest };
    level.append(tx, &widen(points, finest)).await?;
    level.append_coarser(tx, from..to).await?;
    Ok(rows.len() as i64 == MOST_AT_ONCE)
}

/// Deletes the buckets of points that are being deleted: those after `step`, or all for step 0.
pub(in crate::store) async fn truncate(
    tx: &mut Transaction,
    job: JobId,
    step: i64,
) -> Result<(), StoreError> {
    if step == 0 {
        return forget(tx, job).await;
    }
    let curves: Vec<(i64, i64, i64)> = sql(
        "SELECT series_id, width, condensed_to FROM condensed_curves WHERE job_id = $1 AND condensed_to > $2",
    )
    .bind(job)
    .bind(step + 1)
    .fetch_all(tx)
    .await?;
    for (series, finest, condensed_to) in curves {
        let to = floor(step + 1, finest);
        for width in levels(finest).take_while(|width| *width <= condensed_to) {
            Level { job, series, width }.truncate(tx, floor(to, width)).await?;
        }
        sql("UPDATE condensed_curves SET condensed_to = $3 WHERE job_id = $1 AND series_id = $2")
            .bind(job)
            .bind(series)
            .bind(to)
            .execute_one(tx)
            .await?;
    }
    sql("DELETE FROM condensed_curves WHERE job_id = $1 AND first_step > $2")
        .bind(job)
        .bind(step)
        .execute(tx)
        .await?;
    Ok(())
}

/// Deletes all levels of the job's curves.
pub(in crate::store) async fn forget(tx: &mut Transaction, job: JobId) -> Result<(), StoreError> {
    sql("DELETE FROM curve_blocks WHERE job_id = $1").bind(job).execute(tx).await?;
    sql("DELETE FROM condensed_curves WHERE job_id = $1").bind(job).execute(tx).await?;
    Ok(())
}

impl Level {
    /// Adds buckets that are later than all of this level.
    async fn append(self, tx: &mut Transaction, buckets: &[Bucket]) -> Result<(), StoreError> {
        let block = |bucket: &Bucket| block_of(bucket.low.step, self.width);
        for new in buckets.chunk_by(|a, b| block(a) == block(b)) {
            // The bytes are appended, so the existing ones need not be read.
            let statement = match tx {
                Transaction::Sqlite(_) => {
                    "INSERT INTO curve_blocks (job_id, series_id, width, first_step, buckets) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (job_id, series_id, width, first_step)
                     DO UPDATE SET buckets = CAST(curve_blocks.buckets || excluded.buckets AS BLOB)"
                }
                Transaction::Postgres(_) => {
                    "INSERT INTO curve_blocks (job_id, series_id, width, first_step, buckets) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (job_id, series_id, width, first_step)
                     DO UPDATE SET buckets = curve_blocks.buckets || excluded.buckets"
                }
            };
            sql(statement)
                .bind(self.job)
                .bind(self.series)
                .bind(self.width)
                .bind(block(&new[0]))
                .bind(pack(new))
                .execute(tx)
                .await?;
        }
        Ok(())
    }

    /// Adds the steps that are new in this level, which is the finest, to the coarser ones.
    async fn append_coarser(mut self, tx: &mut Transaction, new: Range<i64>) -> Result<(), StoreError> {
        for width in levels(self.width).skip(1) {
            let new = floor(new.start, width)..floor(new.end, width);
            if new.is_empty() {
                break;
            }
            let finer = self.buckets(tx, new.start).await?;
            let whole = finer.into_iter().filter(|bucket| new.contains(&bucket.low.step));
            self.width = width;
            self.append(tx, &widen(whole, width)).await?;
        }
        Ok(())
    }

    /// The buckets of the blocks from that of `step` on.
    async fn buckets(self, tx: &mut Transaction, step: i64) -> Result<Vec<Bucket>, StoreError> {
        let rows: Vec<BlockRow> = sql("SELECT buckets FROM curve_blocks
             WHERE job_id = $1 AND series_id = $2 AND width = $3 AND first_step >= $4 ORDER BY first_step")
        .bind(self.job)
        .bind(self.series)
        .bind(self.width)
        .bind(block_of(step, self.width))
        .fetch_all(tx)
        .await?;
        let mut buckets = Vec::new();
        for row in rows {
            buckets.extend(unpack(&row.buckets)?);
        }
        Ok(buckets)
    }

    /// Deletes the buckets from `step` on.
    async fn truncate(self, tx: &mut Transaction, step: i64) -> Result<(), StoreError> {
        let mut kept = self.buckets(tx, step).await?;
        kept.retain(|bucket| bucket.low.step < step);
        sql("DELETE FROM curve_blocks WHERE job_id = $1 AND series_id = $2 AND width = $3 AND first_step >= $4")
            .bind(self.job)
            .bind(self.series)
            .bind(self.width)
            .bind(block_of(step, self.width))
            .execute(tx)
            .await?;
        self.append(tx, &kept).await
    }
}
