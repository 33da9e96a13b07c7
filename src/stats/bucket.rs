//! Downsampling: buckets of steps that keep their lowest and highest point.
//!
//! Buckets are powers of two wide and begin at multiples of their width. A curve therefore looks the same at every
//! reload, its past does not change while it grows, and zooming in halves the buckets.

/// One point of a job's curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// Completed updates.
    pub step: i64,
    /// Value in the unit of the series.
    pub value: f64,
}

/// The points of a curve in one bucket of steps; at least one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// How many.
    pub n: u64,
    /// Sum of the values.
    pub sum: f64,
    /// The first of those with the lowest value.
    pub low: CurvePoint,
    /// The first of those with the highest value.
    pub high: CurvePoint,
}

impl From<CurvePoint> for Bucket {
    fn from(point: CurvePoint) -> Self {
        Self { n: 1, sum: point.value, low: point, high: point }
    }
}

impl Bucket {
    /// Of the values.
    pub fn mean(&self) -> f64 {
        self.sum / self.n as f64
    }

    /// Start of the bucket of `width` steps that contains this one.
    pub fn stretch(&self, width: i64) -> i64 {
        floor(self.low.step, width)
    }

    /// Adds the points of a later bucket.
    fn join(&mut self, later: &Self) {
        self.n += later.n;
        self.sum += later.sum;
        if later.low.value < self.low.value {
            self.low = later.low;
        }
        if later.high.value > self.high.value {
            self.high = later.high;
        }
    }
}

/// The multiple of `width` at or before `step`.
pub fn floor(step: i64, width: i64) -> i64 {
    step.div_euclid(width) * width
}

/// The smallest power of two such that at most `buckets` of this width cover `span` steps.
pub fn width_for(span: i64, buckets: usize) -> i64 {
    let steps = (span.max(1) as u64).div_ceil(buckets.max(1) as u64);
    steps.next_power_of_two() as i64
}

/// Merges buckets into wider ones of `width` steps. `buckets` are in the order of steps, each within one wider bucket.
pub fn widen(buckets: impl IntoIterator<Item = Bucket>, width: i64) -> Vec<Bucket> {
    let mut wide: Vec<Bucket> = Vec::new();
    for bucket in buckets {
        match wide.last_mut() {
            Some(last) if last.stretch(width) == bucket.stretch(width) => last.join(&bucket),
            _ => wide.push(bucket),
        }
    }
    wide
}

/// The lowest and the highest point of each bucket, in the order of steps.
pub fn extremes(buckets: &[Bucket]) -> Vec<CurvePoint> {
    let mut points = Vec::with_capacity(2 * buckets.len());
    for Bucket { low, high, .. } in buckets {
        let (first, second) = if low.step <= high.step { (low, high) } else { (high, low) };
        points.push(*first);
        if first.step != second.step {
            points.push(*second);
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(values: impl IntoIterator<Item = f64>) -> Vec<Bucket> {
        (0..).zip(values).map(|(step, value)| CurvePoint { step, value }.into()).collect()
    }

    #[test]
    fn a_single_spike_is_kept() {
        let mut points = curve(std::iter::repeat_n(1.0, 10_000));
        for (step, value) in [(1234, 50.0), (7777, -50.0)] {
            points[step as usize] = CurvePoint { step, value }.into();
        }
        let width = width_for(10_000, 20);
        let kept = extremes(&widen(points, width));
        assert_eq!(width, 512);
        assert!(kept.len() <= 40, "{}", kept.len());
        for (step, value) in [(1234, 50.0), (7777, -50.0)] {
            assert!(kept.contains(&CurvePoint { step, value }), "{kept:?}");
        }
        assert!(kept.windows(2).all(|pair| pair[0].step < pair[1].step));
    }

    #[test]
    fn wide_buckets_from_points_equal_those_from_narrow_buckets() {
        let points = curve((0..1000).map(|k| f64::from(k * 7919 % 101)));
        let narrow = widen(points.clone(), 8);
        assert_eq!(narrow.len(), 125);
        assert_eq!(widen(narrow, 64), widen(points, 64));
    }

    #[test]
    fn the_width_is_the_smallest_that_suffices() {
        assert_eq!([1, 400, 401, 801].map(|span| width_for(span, 400)), [1, 1, 2, 4]);
        assert_eq!(width_for(0, 0), 1);
    }

    #[test]
    fn a_bucket_knows_its_mean() {
        let [bucket] = widen(curve([1.0, 5.0, 3.0]), 4)[..] else { panic!() };
        assert_eq!((bucket.n, bucket.mean(), bucket.stretch(4)), (3, 3.0, 0));
        assert_eq!((bucket.low.step, bucket.high.step), (0, 1));
    }
}
