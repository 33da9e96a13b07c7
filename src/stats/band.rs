//! The mean line of an arm with its band over seeds.

use optlab_api_types::Band;

use super::bucket::Bucket;
use super::spread;

/// One entry per bucket of `width` steps; `seeds` are curves in the order of steps, with at most one bucket per `width` steps.
pub fn band(seeds: &[&[Bucket]], width: i64) -> Band {
    let mut buckets: Vec<(i64, &Bucket)> =
        seeds.iter().copied().flatten().map(|bucket| (bucket.stretch(width), bucket)).collect();
    buckets.sort_by_key(|(step, _)| *step);
    let mut band = Band::default();
    for seeds in buckets.chunk_by(|a, b| a.0 == b.0) {
        let means: Vec<f64> = seeds.iter().map(|(_, bucket)| bucket.mean()).collect();
        let spread = spread(&means).expect("a chunk is not empty");
        band.steps.push(seeds[0].0);
        band.mean.push(spread.mean);
        band.std.push(spread.std);
        band.min.push(seeds.iter().map(|(_, bucket)| bucket.low.value).fold(f64::INFINITY, f64::min));
        band.max.push(seeds.iter().map(|(_, bucket)| bucket.high.value).fold(f64::NEG_INFINITY, f64::max));
        band.n.push(seeds.len());
    }
    band
}

#[cfg(test)]
mod tests {
    use super::super::bucket::{CurvePoint, widen};
    use super::*;

    fn curve(points: &[(i64, f64)], width: i64) -> Vec<Bucket> {
        widen(points.iter().map(|&(step, value)| CurvePoint { step, value }.into()), width)
    }

    #[test]
    fn each_step_counts_the_seeds_with_points() {
        let band = band(&[&curve(&[(0, 1.0), (5, 7.0)], 1), &curve(&[(0, 3.0)], 1)], 1);
        let expected = Band {
            steps: vec![0, 5],
            mean: vec![2.0, 7.0],
            std: vec![Some(2f64.sqrt()), None],
            min: vec![1.0, 7.0],
            max: vec![3.0, 7.0],
            n: vec![2, 1],
        };
        assert_eq!(band, expected);
    }

    #[test]
    fn a_bucket_has_the_mean_of_seed_means_and_the_extremes_of_all() {
        let band = band(&[&curve(&[(4, 1.0), (7, 3.0)], 4), &curve(&[(5, 4.0)], 4)], 4);
        let expected = Band {
            steps: vec![4],
            mean: vec![3.0],
            std: vec![Some(2f64.sqrt())],
            min: vec![1.0],
            max: vec![4.0],
            n: vec![2],
        };
        assert_eq!(band, expected);
    }
}
