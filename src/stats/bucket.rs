//! Curves with fewer points that tell no lie: stretches of steps that keep their lowest and their highest point.
//!
//! Stretches are powers of two long and begin at multiples of their length. So a curve looks the same at every reload,
//! grows without moving what was there, and a closer look halves the stretches of the one before.

/// One point of a job's curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// Completed updates.
    pub step: i64,
    /// In the unit of the series.
    pub value: f64,
}

/// The points of a curve in one stretch of steps; at least one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// How many.
    pub n: u64,
    /// Of their values.
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

    /// Where the stretch of `width` steps begins that this bucket lies in.
    pub fn stretch(&self, width: i64) -> i64 {
        floor(self.low.step, width)
    }

    /// Takes in the points of a later bucket.
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

/// The shortest stretch, a power of two, of which `buckets` or fewer hold `span` steps.
pub fn width_for(span: i64, buckets: usize) -> i64 {
    let steps = (span.max(1) as u64).div_ceil(buckets.max(1) as u64);
    steps.next_power_of_two() as i64
}

/// One bucket for each stretch of `width` steps that has points. `buckets` come in the order of steps, each in one stretch.
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
    fn a_single_spike_survives() {
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
    fn wide_buckets_are_the_same_from_points_and_from_narrow_ones() {
        let points = curve((0..1000).map(|k| f64::from(k * 7919 % 101)));
        let narrow = widen(points.clone(), 8);
        assert_eq!(narrow.len(), 125);
        assert_eq!(widen(narrow, 64), widen(points, 64));
    }

    #[test]
    fn stretches_are_the_shortest_that_suffice() {
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
