//! The mean line of an arm with its band over seeds.

use super::bucket::Bucket;
use super::spread;

/// Statistics over the seeds of an arm at one step, or in one bucket of steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandPoint {
    /// Step at which the bucket begins.
    pub step: i64,
    /// Mean over the seeds that have points here, of each seed's mean.
    pub mean: f64,
    /// Standard deviation of the sample; `None` for a single seed.
    pub std: Option<f64>,
    /// Lowest point of any seed.
    pub min: f64,
    /// Highest point of any seed.
    pub max: f64,
    /// Seeds that have points here.
    pub n: usize,
}

/// One point per bucket of `width` steps; `seeds` are curves in the order of steps, with at most one bucket per `width` steps.
pub fn band(seeds: &[&[Bucket]], width: i64) -> Vec<BandPoint> {
    let mut buckets: Vec<(i64, &Bucket)> =
        seeds.iter().copied().flatten().map(|bucket| (bucket.stretch(width), bucket)).collect();
    buckets.sort_by_key(|(step, _)| *step);
    buckets.chunk_by(|a, b| a.0 == b.0).map(at).collect()
}

fn at(seeds: &[(i64, &Bucket)]) -> BandPoint {
    let means: Vec<f64> = seeds.iter().map(|(_, bucket)| bucket.mean()).collect();
    let spread = spread(&means).expect("a chunk is not empty");
    BandPoint {
        step: seeds[0].0,
        mean: spread.mean,
        std: spread.std,
        min: seeds.iter().map(|(_, bucket)| bucket.low.value).fold(f64::INFINITY, f64::min),
        max: seeds.iter().map(|(_, bucket)| bucket.high.value).fold(f64::NEG_INFINITY, f64::max),
        n: seeds.len(),
    }
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
        assert_eq!(band.len(), 2);
        let std = Some(2f64.sqrt());
        assert_eq!(band[0], BandPoint { step: 0, mean: 2.0, std, min: 1.0, max: 3.0, n: 2 });
        assert_eq!(band[1], BandPoint { step: 5, mean: 7.0, std: None, min: 7.0, max: 7.0, n: 1 });
    }

    #[test]
    fn a_bucket_has_the_mean_of_seed_means_and_the_extremes_of_all() {
        let band = band(&[&curve(&[(4, 1.0), (7, 3.0)], 4), &curve(&[(5, 4.0)], 4)], 4);
        let std = Some(2f64.sqrt());
        assert_eq!(band, [BandPoint { step: 4, mean: 3.0, std, min: 1.0, max: 4.0, n: 2 }]);
    }
}
