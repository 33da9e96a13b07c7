//! The mean line of an arm with its band over seeds.

use super::spread;

/// What the seeds of an arm say at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandPoint {
    /// Completed updates.
    pub step: i64,
    /// Mean over the seeds that have this step.
    pub mean: f64,
    /// Standard deviation of the sample; `None` for a single seed.
    pub std: Option<f64>,
    /// Lowest seed.
    pub min: f64,
    /// Highest seed.
    pub max: f64,
    /// Seeds that have this step.
    pub n: usize,
}

/// One point for each step; `points` are `(step, value)` in ascending order of steps.
pub fn band(points: &[(i64, f64)]) -> Vec<BandPoint> {
    points.chunk_by(|a, b| a.0 == b.0).map(|seeds| at_step(seeds[0].0, seeds)).collect()
}

fn at_step(step: i64, seeds: &[(i64, f64)]) -> BandPoint {
    let values: Vec<f64> = seeds.iter().map(|&(_, value)| value).collect();
    let spread = spread(&values).expect("a chunk is not empty");
    BandPoint {
        step,
        mean: spread.mean,
        std: spread.std,
        min: values.iter().copied().fold(f64::INFINITY, f64::min),
        max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        n: values.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_counts_the_seeds_that_reached_it() {
        let band = band(&[(0, 1.0), (0, 3.0), (5, 7.0)]);
        assert_eq!(band.len(), 2);
        assert_eq!(
            band[0],
            BandPoint { step: 0, mean: 2.0, std: Some(2f64.sqrt()), min: 1.0, max: 3.0, n: 2 }
        );
        assert_eq!(band[1], BandPoint { step: 5, mean: 7.0, std: None, min: 7.0, max: 7.0, n: 1 });
    }
}
