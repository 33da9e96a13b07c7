//! The sign-flip permutation test: where two arms are the same, each difference could as well have the other sign.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::bootstrap::SEED;

/// Up to here every one of the 2^n ways to set the signs is counted.
const MOST_EXACT: usize = 30;
/// Beyond, so many are drawn.
const DRAWS: usize = 100_000;
/// Sums that differ by no more than this share of all that is summed are the same sum, rounded otherwise.
const ROUNDING: f64 = 1e-12;

/// How often the mean is as far from 0 by chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignFlip {
    /// Two-sided p-value.
    pub p_value: f64,
    /// The least that so many pairs can reach, however far apart: 0.0625 for 5.
    pub least: f64,
    /// All signs were tried; otherwise 100,000 random ones.
    pub exact: bool,
}

/// Of differences that are not empty.
pub fn sign_flip(differences: &[f64]) -> SignFlip {
    let size: f64 = differences.iter().map(|difference| difference.abs()).sum();
    let far = differences.iter().sum::<f64>().abs() - ROUNDING * size;
    let n = differences.len();
    if n <= MOST_EXACT {
        let all = (1u64 << n) as f64;
        return SignFlip { p_value: count(differences, far) as f64 / all, least: 2.0 / all, exact: true };
    }
    let mut random = Pcg64::new(SEED.into(), 0);
    let as_far = (0..DRAWS).filter(|_| flipped(differences, &mut random).abs() >= far).count();
    // The signs as they are count too, so that p is never 0.
    let of_draws = |count: usize| (count + 1) as f64 / (DRAWS + 1) as f64;
    SignFlip { p_value: of_draws(as_far), least: of_draws(0), exact: false }
}

/// The ways to set the signs whose sum is at least `far` from 0. Any of them is one of the first half of the differences
/// and one of the second: for each sum of the one, those of the other that fit lie at the ends of a sorted list.
fn count(differences: &[f64], far: f64) -> usize {
    let (first, second) = differences.split_at(differences.len() / 2);
    let mut others = sums(second);
    others.sort_unstable_by(f64::total_cmp);
    let count = |sum: f64| {
        let above = others.len() - others.partition_point(|other| sum + other < far);
        let below = others.partition_point(|other| sum + other <= -far);
        // Where 0 is far enough, both ends meet.
        (above + below).min(others.len())
    };
    sums(first).into_iter().map(count).sum()
}

/// One sum for each way to set the signs.
fn sums(differences: &[f64]) -> Vec<f64> {
    differences.iter().fold(vec![0.0], |sums, difference| {
        sums.iter().flat_map(|sum| [sum + difference, sum - difference]).collect()
    })
}

/// The sum with random signs; one random number has those of 64 differences.
fn flipped(differences: &[f64], random: &mut Pcg64) -> f64 {
    let of_chunk = |chunk: &[f64]| -> f64 {
        let bits = random.next_u64();
        let signed = |(place, value): (usize, &f64)| if bits >> place & 1 == 1 { -value } else { *value };
        chunk.iter().enumerate().map(signed).sum()
    };
    differences.chunks(64).map(of_chunk).sum()
}
