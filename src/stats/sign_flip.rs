//! The sign-flip permutation test: if two arms are equal, each difference could as well have the other sign.

use optlab_api_types::SignFlip;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::bootstrap::SEED;

/// Up to this number of pairs, all 2^n sign assignments are counted.
const MOST_EXACT: usize = 30;
/// Above, this many are drawn.
const DRAWS: usize = 100_000;
/// Relative difference up to which two sums count as equal, because of rounding.
const ROUNDING: f64 = 1e-12;

/// Tests differences, which are not empty, as if no other arm were tested.
pub fn sign_flip(differences: &[f64]) -> SignFlip {
    let size: f64 = differences.iter().map(|difference| difference.abs()).sum();
    let far = differences.iter().sum::<f64>().abs() - ROUNDING * size;
    let n = differences.len();
    if n <= MOST_EXACT {
        let all = (1u64 << n) as f64;
        return test(count(differences, far) as f64 / all, 2.0 / all, true);
    }
    let mut random = Pcg64::new(SEED.into(), 0);
    let as_far = (0..DRAWS).filter(|_| flipped(differences, &mut random).abs() >= far).count();
    // The observed signs count, too, so that p is never 0.
    let of_draws = |count: usize| (count + 1) as f64 / (DRAWS + 1) as f64;
    test(of_draws(as_far), of_draws(0), false)
}

fn test(p_value: f64, least_p: f64, exact: bool) -> SignFlip {
    SignFlip { p_value, p_adjusted: p_value, least_p, exact }
}

/// The number of sign assignments whose sum is at least `far` from 0. Each is an assignment of the first half of the
/// differences and one of the second: for each sum of the first, the matching sums of the second are at the ends of a
/// sorted list.
fn count(differences: &[f64], far: f64) -> usize {
    let (first, second) = differences.split_at(differences.len() / 2);
    let mut others = sums(second);
    others.sort_unstable_by(f64::total_cmp);
    let count = |sum: f64| {
        let above = others.len() - others.partition_point(|other| sum + other < far);
        let below = others.partition_point(|other| sum + other <= -far);
        // If 0 is far enough, both ends meet.
        (above + below).min(others.len())
    };
    sums(first).into_iter().map(count).sum()
}

/// The sums of all sign assignments.
fn sums(differences: &[f64]) -> Vec<f64> {
    differences.iter().fold(vec![0.0], |sums, difference| {
        sums.iter().flat_map(|sum| [sum + difference, sum - difference]).collect()
    })
}

/// The sum with random signs; one random number gives those of 64 differences.
fn flipped(differences: &[f64], random: &mut Pcg64) -> f64 {
    let of_chunk = |chunk: &[f64]| -> f64 {
        let bits = random.next_u64();
        let signed = |(place, value): (usize, &f64)| if bits >> place & 1 == 1 { -value } else { *value };
        chunk.iter().enumerate().map(signed).sum()
    };
    differences.chunks(64).map(of_chunk).sum()
}
