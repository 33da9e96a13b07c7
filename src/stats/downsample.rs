//! Fewer points that tell no lie: every bucket keeps its lowest and its highest point.

/// At most two points for each of `buckets` equal stretches of steps, besides the first and the last point.
///
/// Deterministic, and what is already that short stays as it is. Both accessors are of a point: its step, in ascending
/// order, and the value whose extremes count.
pub fn downsample<P: Copy>(
    points: &[P],
    buckets: usize,
    step: impl Fn(&P) -> i64,
    value: impl Fn(&P) -> f64,
) -> Vec<P> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    if points.len() <= 2 * buckets {
        return points.to_vec();
    }
    let (start, span) = (step(first), (step(last) - step(first) + 1) as f64);
    let bucket = |point: &P| (((step(point) - start) as f64 / span) * buckets as f64) as usize;
    let mut kept = Vec::with_capacity(2 * buckets + 2);
    let mut begin = 0;
    for chunk in points.chunk_by(|a, b| bucket(a) == bucket(b)) {
        let extreme = |better: fn(&f64, &f64) -> bool| {
            let mut best = 0;
            for (index, point) in chunk.iter().enumerate() {
                if better(&value(point), &value(&chunk[best])) {
                    best = index;
                }
            }
            begin + best
        };
        kept.extend([extreme(f64::lt), extreme(f64::gt)]);
        begin += chunk.len();
    }
    kept.extend([0, points.len() - 1]);
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|index| points[index]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thin(points: &[(i64, f64)], buckets: usize) -> Vec<(i64, f64)> {
        downsample(points, buckets, |p| p.0, |p| p.1)
    }

    #[test]
    fn a_single_spike_survives() {
        let mut points: Vec<(i64, f64)> = (0..10_000).map(|step| (step, 1.0)).collect();
        points[1234].1 = 50.0;
        points[7777].1 = -50.0;
        let kept = thin(&points, 20);
        assert!(kept.len() <= 42, "{}", kept.len());
        assert!(kept.contains(&(1234, 50.0)) && kept.contains(&(7777, -50.0)));
        assert_eq!((kept[0].0, kept.last().unwrap().0), (0, 9999));
        assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_short_curve_stays_whole() {
        let points: Vec<(i64, f64)> = (0..40).map(|step| (step, step as f64)).collect();
        assert_eq!(thin(&points, 20), points);
        assert!(thin(&[], 5).is_empty());
    }
}
