//! Fewer points that tell no lie: every bucket keeps its lowest and its highest point.

/// For each of `buckets` equal stretches of steps the points that are lowest and highest in any of `values`, besides
/// the first and the last point: at most `2 * buckets * values.len() + 2`.
///
/// Deterministic; what is already that short stays as it is. `step` is ascending.
pub fn downsample<P: Copy>(
    points: &[P],
    buckets: usize,
    step: impl Fn(&P) -> i64,
    values: &[fn(&P) -> f64],
) -> Vec<P> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    if points.len() <= 2 * buckets {
        return points.to_vec();
    }
    let (start, span) = (step(first), (step(last) - step(first) + 1) as f64);
    let bucket = |point: &P| (((step(point) - start) as f64 / span) * buckets as f64) as usize;
    let mut kept = vec![0, points.len() - 1];
    let mut begin = 0;
    for chunk in points.chunk_by(|a, b| bucket(a) == bucket(b)) {
        for value in values {
            let (mut lowest, mut highest) = (0, 0);
            for (index, point) in chunk.iter().enumerate() {
                if value(point) < value(&chunk[lowest]) {
                    lowest = index;
                }
                if value(point) > value(&chunk[highest]) {
                    highest = index;
                }
            }
            kept.extend([begin + lowest, begin + highest]);
        }
        begin += chunk.len();
    }
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|index| points[index]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thin(points: &[(i64, f64)], buckets: usize) -> Vec<(i64, f64)> {
        downsample(points, buckets, |p| p.0, &[|p| p.1])
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
