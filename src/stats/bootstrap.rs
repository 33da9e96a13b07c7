//! The percentile bootstrap of paired differences (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13):
//! pairs are drawn with replacement, and the interval holds the middle 95% of the means.
//!
//! It assumes no distribution, but with few pairs its intervals are too short. Therefore the interval by Student's t
//! decides.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

/// Number of resamples.
pub const RESAMPLES: usize = 10_000;
/// Seed of the random numbers (PCG64, stream 0), so that equal differences have equal intervals.
pub const SEED: u64 = 0;

/// The interval that contains the middle fraction `level` of the means; `differences` are not empty.
pub fn bootstrap_interval(differences: &[f64], level: f64) -> [f64; 2] {
    let n = differences.len();
    let mut random = Pcg64::new(SEED.into(), 0);
    // The product's upper half is uniform below n, up to one part in 2^64 / n.
    let mut draw = || differences[((u128::from(random.next_u64()) * n as u128) >> 64) as usize];
    let mut means: Vec<f64> =
        (0..RESAMPLES).map(|_| (0..n).map(|_| draw()).sum::<f64>() / n as f64).collect();
    means.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    [tail, 1.0 - tail].map(|share| quantile(&means, share))
}

/// Interpolates linearly between the two nearest sorted values.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}
