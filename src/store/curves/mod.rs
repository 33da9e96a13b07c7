//! Curves, downsampled for charts.

mod block;
mod condense;

use std::collections::HashMap;
use std::ops::Range;

use optlab_domain::JobId;
use serde_json::json;
use sqlx_macros::FromRow;

use self::block::{block_of, level_for, unpack};
pub(super) use self::condense::{Uncondensed, condense, condense_job, forget, long_curves, truncate};
use crate::stats::{Bucket, CurvePoint, extremes, floor, widen, width_for};
use crate::store::database::{Transaction, per_database, sql};
use crate::store::{Store, StoreError};

/// The range and the resolution in which curves are read.
#[derive(Clone, Copy, Debug)]
pub struct CurveRange {
    /// Only points after this step; -1 for all.
    pub after_step: i64,
    /// Only points up to this step.
    pub to_step: i64,
    /// Maximum number of buckets.
    pub buckets: usize,
}

/// One series of several jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct CurveSet {
    /// Steps per bucket, a power of two; 1 if no point was left out.
    pub width: i64,
    /// One curve for each requested job, in that order.
    pub curves: Vec<Curve>,
}

/// A curve in buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// The first point, if the curve is not complete.
    pub first: Option<CurvePoint>,
    /// The buckets with points, in the order of steps.
    pub buckets: Vec<Bucket>,
    /// The last point.
    pub last: Option<CurvePoint>,
}

impl Curve {
    /// The lowest and the highest point of each bucket and the two ends, in the order of steps.
    pub fn points(&self) -> Vec<CurvePoint> {
        let mut points = extremes(&self.buckets);
        points.extend(self.first);
        points.extend(self.last);
        points.sort_by_key(|point| point.step);
        points.dedup_by_key(|point| point.step);
        points
    }
}

/// Minimum number of buckets that are read from a level, because at both ends up to one bucket is read point by point.
const MARGIN: i64 = 64;

/// $1: the requested ranges, a JSON list that the text in brackets turns into rows; $2: the series. SQLite reads the
/// tables of a CROSS JOIN in the order in which they are written.
macro_rules! extents {
    ($wanted:literal) => {
        concat!(
            "SELECT w.job_id, c.width, c.condensed_to, c.first_step, c.first_value, (
                 SELECT max(p.step) FROM metric_points p WHERE p.job_id = w.job_id AND p.series_id = $2
             ) AS last_step
             FROM (",
            $wanted,
            ") w LEFT JOIN condensed_curves c ON c.job_id = w.job_id AND c.series_id = $2"
        )
    };
}

macro_rules! points {
    ($wanted:literal) => {
        concat!(
            "SELECT p.job_id, p.step, p.value FROM (",
            $wanted,
            ") w CROSS JOIN metric_points p
             WHERE p.job_id = w.job_id AND p.series_id = $2 AND p.step >= w.first AND p.step < w.past"
        )
    };
}

macro_rules! blocks {
    ($wanted:literal) => {
        concat!(
            "SELECT b.job_id, b.buckets FROM (",
            $wanted,
            ") w CROSS JOIN curve_blocks b
             WHERE b.job_id = w.job_id AND b.series_id = $2 AND b.width = w.width
               AND b.first_step >= w.first AND b.first_step < w.past"
        )
    };
}

/// The last step of a curve, and the last condensed step.
#[derive(FromRow)]
struct Extent {
    job_id: JobId,
    last_step: Option<i64>,
    width: Option<i64>,
    condensed_to: Option<i64>,
    first_step: Option<i64>,
    first_value: Option<f64>,
}

#[derive(FromRow)]
struct BlockRow {
    job_id: JobId,
    buckets: Vec<u8>,
}

#[derive(FromRow)]
struct PointRow {
    job_id: JobId,
    step: i64,
    value: f64,
}

/// A range of a curve to read: from a level, or from the points if `width` is `None`.
struct Piece {
    job: JobId,
    width: Option<i64>,
    steps: Range<i64>,
}

impl Store {
    /// The curves of a series, also for jobs without points of it. All have the same buckets, which depend only on the
    /// range and on the longest curve.
    pub async fn curves(
        &self,
        jobs: &[JobId],
        series: &str,
        range: CurveRange,
    ) -> Result<CurveSet, StoreError> {
        // One snapshot of the levels and the points.
        let mut snapshot = self.snapshot().await?;
        let series: Option<(i64,)> =
            sql("SELECT id FROM series WHERE name = $1").bind(series).fetch_optional(&mut snapshot).await?;
        let Some((series,)) = series else {
            return Ok(CurveSet { width: 1, curves: jobs.iter().map(|_| Curve::default()).collect() });
        };
        let extents = extents(&mut snapshot, jobs, series).await?;
        let end = extents.iter().filter_map(|extent| extent.last_step).max().map_or(0, |last| last + 1);
        let steps = range.after_step.saturating_add(1).max(0)..range.to_step.saturating_add(1).min(end);
        let width = width_for(steps.end - steps.start, range.buckets);
        let pieces: Vec<Piece> = extents.iter().flat_map(|extent| extent.pieces(&steps, width)).collect();
        let points = read_points(&mut snapshot, &pieces, series).await?;
        // Short curves that are read point by point are not bucketed.
        let whole = pieces.iter().all(|piece| piece.width.is_none())
            && points.values().all(|points| points.len() <= 2 * range.buckets);
        let width = if whole { 1 } else { width };
        let mut found = points;
        for (job, buckets) in read_blocks(&mut snapshot, &pieces, series).await? {
            found.entry(job).or_default().extend(buckets);
        }
        snapshot.rollback().await?;
        let mut curves: HashMap<JobId, Curve> = HashMap::new();
        for extent in extents {
            let mut buckets = found.remove(&extent.job_id).unwrap_or_default();
            buckets.sort_by_key(|bucket| bucket.low.step);
            let known = extent.first().filter(|first| steps.contains(&first.step));
            let read = || buckets.first().filter(|bucket| bucket.n == 1).map(|bucket| bucket.low);
            let first = known.or_else(read);
            let last = buckets.last().filter(|bucket| bucket.n == 1).map(|bucket| bucket.low);
            curves.insert(extent.job_id, Curve { first, buckets: widen(buckets, width), last });
        }
        Ok(CurveSet {
            width,
            curves: jobs.iter().map(|job| curves.remove(job).unwrap_or_default()).collect(),
        })
    }
}

impl Extent {
    /// The ranges by which the curve is read in buckets whose width divides `width`.
    fn pieces(&self, steps: &Range<i64>, width: i64) -> Vec<Piece> {
        let job = self.job_id;
        let points = |steps: Range<i64>| Piece { job, width: None, steps };
        let (Some(finest), Some(condensed_to)) = (self.width, self.condensed_to) else {
            return vec![points(steps.clone())];
        };
        let condensed = steps.end.min(condensed_to) - steps.start;
        let Some(level) = level_for(finest, width.min(condensed / MARGIN)) else {
            return vec![points(steps.clone())];
        };
        let start = floor(steps.start + level - 1, level);
        let end = floor(steps.end.min(condensed_to), level).max(start);
        let level = Piece { job, width: Some(level), steps: start..end };
        let pieces = [points(steps.start..start.min(steps.end)), level, points(end..steps.end)];
        pieces.into_iter().filter(|piece| !piece.steps.is_empty()).collect()
    }

    /// This is a recorded point, so that a long curve keeps its first point.
    fn first(&self) -> Option<CurvePoint> {
        Some(CurvePoint { step: self.first_step?, value: self.first_value? })
    }
}

async fn extents(snapshot: &mut Transaction, jobs: &[JobId], series: i64) -> Result<Vec<Extent>, StoreError> {
    per_database(
        extents!("SELECT value AS job_id FROM json_each($1)"),
        extents!("SELECT value::BIGINT AS job_id FROM json_array_elements_text($1::JSON)"),
    )
    .bind(json!(jobs).to_string())
    .bind(series)
    .fetch_all(snapshot)
    .await
}

async fn read_points(
    snapshot: &mut Transaction,
    pieces: &[Piece],
    series: i64,
) -> Result<HashMap<JobId, Vec<Bucket>>, StoreError> {
    let wanted = pieces.iter().filter(|piece| piece.width.is_none());
    let wanted: Vec<_> = wanted.map(|piece| (piece.job, piece.steps.start, piece.steps.end)).collect();
    let mut found: HashMap<JobId, Vec<Bucket>> = HashMap::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    let rows: Vec<PointRow> = per_database(
        points!(
            "SELECT value ->> 0 AS job_id, value ->> 1 AS first, value ->> 2 AS past
                 FROM json_each($1)"
        ),
        points!(
            "SELECT (value ->> 0)::BIGINT AS job_id, (value ->> 1)::BIGINT AS first,
                     (value ->> 2)::BIGINT AS past
                 FROM json_array_elements($1::JSON)"
        ),
    )
    .bind(json!(wanted).to_string())
    .bind(series)
    .fetch_all(snapshot)
    .await?;
    for PointRow { job_id, step, value } in rows {
        found.entry(job_id).or_default().push(CurvePoint { step, value }.into());
    }
    Ok(found)
}

async fn read_blocks(
    snapshot: &mut Transaction,
    pieces: &[Piece],
    series: i64,
) -> Result<HashMap<JobId, Vec<Bucket>>, StoreError> {
    let levels: HashMap<JobId, (i64, &Range<i64>)> =
        pieces.iter().filter_map(|piece| Some((piece.job, (piece.width?, &piece.steps)))).collect();
    let wanted: Vec<_> = levels
        .iter()
        .map(|(job, (width, steps))| (job, width, block_of(steps.start, *width), steps.end))
        .collect();
    let mut found: HashMap<JobId, Vec<Bucket>> = HashMap::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    let rows: Vec<BlockRow> = per_database(
        blocks!(
            "SELECT value ->> 0 AS job_id, value ->> 1 AS width, value ->> 2 AS first,
                     value ->> 3 AS past
                 FROM json_each($1)"
        ),
        blocks!(
            "SELECT (value ->> 0)::BIGINT AS job_id, (value ->> 1)::BIGINT AS width,
                     (value ->> 2)::BIGINT AS first, (value ->> 3)::BIGINT AS past
                 FROM json_array_elements($1::JSON)"
        ),
    )
    .bind(json!(wanted).to_string())
    .bind(series)
    .fetch_all(snapshot)
    .await?;
    for BlockRow { job_id, buckets } in rows {
        let (_, steps) = levels[&job_id];
        // The blocks at both ends extend beyond the requested range.
        let inside = unpack(&buckets)?.into_iter().filter(|bucket| steps.contains(&bucket.low.step));
        found.entry(job_id).or_default().extend(inside);
    }
    Ok(found)
}
