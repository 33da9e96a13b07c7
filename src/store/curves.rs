//! Curves in as many points as a chart can show.

use async_trait::async_trait;

use super::StoreError;
use crate::stats::{Bucket, CurvePoint, extremes};

/// What part of curves to read, and how finely.
#[derive(Clone, Copy, Debug)]
pub struct CurveRange {
    /// Only points after this step; -1 for all.
    pub after_step: i64,
    /// Only points up to this step.
    pub to_step: i64,
    /// At most so many stretches of steps.
    pub buckets: usize,
}

/// One series of several jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct CurveSet {
    /// Steps of a stretch, a power of two; 1 where no point was left out.
    pub width: i64,
    /// One for each job that was asked for, in that order.
    pub curves: Vec<Curve>,
}

/// A curve, stretch by stretch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// The first point, of a curve that is not whole.
    pub first: Option<CurvePoint>,
    /// In the order of steps, one for each stretch that has points.
    pub buckets: Vec<Bucket>,
    /// The last point.
    pub last: Option<CurvePoint>,
}

impl Curve {
    /// The lowest and the highest point of each stretch and the two ends, in the order of steps.
    pub fn points(&self) -> Vec<CurvePoint> {
        let mut points = extremes(&self.buckets);
        points.extend(self.first);
        points.extend(self.last);
        points.sort_by_key(|point| point.step);
        points.dedup_by_key(|point| point.step);
        points
    }
}

/// What charts ask.
#[async_trait]
pub trait Curves: Send + Sync {
    /// The curves of a series, whether or not the jobs have points of it. All have the same stretches, which depend on the
    /// range and on the longest curve only.
    async fn curves(&self, jobs: &[i64], series: &str, range: CurveRange) -> Result<CurveSet, StoreError>;
}
