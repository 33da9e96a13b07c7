//! The number of seeds with which a difference is detected.

use statrs::distribution::{Discrete, Poisson};
use statrs::function::beta::beta_reg;

use super::t_test;

/// The power for which seeds are counted.
pub const POWER: f64 = 0.8;

const MOST_SEEDS: usize = 10_000;
/// Larger effects are detected with two pairs.
const LARGEST_EFFECT: f64 = 100.0;

/// The smallest number of pairs with which a paired t-test at level `alpha` detects a difference of `effect_size`
/// standard deviations with power [`POWER`]; `None` above 10,000.
pub fn seeds_needed(effect_size: f64, alpha: f64) -> Option<usize> {
    let enough = |n: usize| power(n, effect_size, alpha) >= POWER;
    let (mut few, mut many) = (1, 2);
    while !enough(many) {
        if many == MOST_SEEDS {
            return None;
        }
        (few, many) = (many, MOST_SEEDS.min(2 * many));
    }
    while many - few > 1 {
        let middle = (few + many) / 2;
        if enough(middle) { many = middle } else { few = middle }
    }
    Some(many)
}

/// The power of a two-sided paired t-test of `n` pairs, at least 2, at level `alpha` for a difference of `effect_size`
/// standard deviations.
///
/// t² is then distributed as a noncentral F: a mixture of central ones by Poisson weights.
pub fn power(n: usize, effect_size: f64, alpha: f64) -> f64 {
    let freedom = (n - 1) as f64;
    let critical = t_test::quantile(n, 1.0 - alpha).powi(2);
    let share = critical / (freedom + critical);
    let mean = n as f64 * effect_size.abs().min(LARGEST_EFFECT).powi(2) / 2.0;
    let missed = |term: u64| beta_reg(term as f64 + 0.5, freedom / 2.0, share);
    let Ok(weights) = Poisson::new(mean) else { return 1.0 - missed(0) };
    // Terms further out weigh less than 1e-20.
    let reach = 10.0 * mean.sqrt() + 60.0;
    let terms = (mean - reach).max(0.0) as u64..=(mean + reach) as u64;
    1.0 - terms.map(|term| weights.pmf(term) * missed(term)).sum::<f64>()
}
