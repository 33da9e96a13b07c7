//! Paired comparison of an arm with a baseline.

use std::collections::HashMap;
use std::fmt;

use optlab_api_types::Difference;
use optlab_domain::standing::PAIRS_NEEDED;

use super::sign_flip::sign_flip;
use super::{LEVEL, SIGNIFICANT, Spread, bootstrap_interval, holm, seeds_needed, spread, t_test};

/// Relative difference of figures that are equal up to rounding.
const ROUNDING: f64 = 1e-12;

/// The reason why a difference cannot be tested.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CannotTell {
    /// A standard deviation needs two pairs, and a conclusion more.
    TooFewPairs {
        /// The number of pairs.
        n: usize,
    },
    /// With few test images and seeds, all pairs may differ by the same amount by chance, which is no certainty.
    NoSpread {
        /// Pairs.
        n: usize,
        /// The common difference.
        mean: f64,
    },
}

impl fmt::Display for CannotTell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewPairs { n: 0 } => f.write_str("no seed has the figure in both arms"),
            Self::TooFewPairs { n: 1 } => f.write_str("only one seed has the figure in both arms"),
            Self::TooFewPairs { n } => write!(f, "only {n} seeds have the figure in both arms"),
            Self::NoSpread { n, .. } => {
                write!(f, "all {n} pairs differ by the same, so chance cannot be estimated")
            }
        }
    }
}

/// Arm minus baseline for each seed that both have, in the order of the arm; each side is `(seed, value)`.
pub fn pairs(baseline: &[(i64, f64)], arm: &[(i64, f64)]) -> Vec<f64> {
    let partners: HashMap<i64, f64> = baseline.iter().copied().collect();
    let difference = |(seed, value): &(i64, f64)| {
        let partner = partners.get(seed)?;
        let difference = value - partner;
        Some(if difference.abs() <= ROUNDING * partner.abs() { 0.0 } else { difference })
    };
    arm.iter().filter_map(difference).collect()
}

/// Tests the differences of [`pairs`], as if no other arm were tested. Nothing is significant before [`adjust`].
///
/// # Errors
/// [`CannotTell`] for fewer than two pairs, or if all differences are equal.
pub fn paired_difference(pairs: &[f64]) -> Result<Difference, CannotTell> {
    let Some(Spread { n, mean, std: Some(std) }) = spread(pairs) else {
        return Err(CannotTell::TooFewPairs { n: pairs.len() });
    };
    if is_rounding(std, pairs) {
        return Err(CannotTell::NoSpread { n, mean });
    }
    let [low, high] = t_test::interval(n, mean, std, LEVEL);
    let p_value = t_test::p_value(n, mean, std);
    // Of fewer pairs, both are so uncertain that they mislead: two pairs can have an effect size of 200 by chance.
    let is_enough = n >= usize::from(PAIRS_NEEDED);
    let bootstrap = is_enough.then(|| bootstrap_interval(pairs, LEVEL));
    let effect_size = is_enough.then_some(mean / std);
    Ok(Difference {
        n,
        mean,
        std,
        low,
        high,
        bootstrap_low: bootstrap.map(|[low, _]| low),
        bootstrap_high: bootstrap.map(|[_, high]| high),
        p_value,
        p_adjusted: p_value,
        significant: false,
        sign_flip: sign_flip(pairs),
        effect_size,
        seeds_needed: effect_size.and_then(|effect| seeds_needed(effect, SIGNIFICANT)),
    })
}

/// Adjusts the p-values of all arms that are tested against one baseline by Holm's procedure, and the seeds that they
/// need, at the procedure's first and strictest level. Without `pairs_needed` pairs, no difference is significant.
pub fn adjust(tested: &mut [&mut Difference], pairs_needed: usize) {
    let strictest = SIGNIFICANT / tested.len() as f64;
    let of = |pick: fn(&Difference) -> f64| holm(&tested.iter().map(|one| pick(one)).collect::<Vec<_>>());
    let (p, sign_flip) = (of(|one| one.p_value), of(|one| one.sign_flip.p_value));
    for (one, (p, sign_flip)) in tested.iter_mut().zip(p.into_iter().zip(sign_flip)) {
        (one.p_adjusted, one.sign_flip.p_adjusted) = (p, sign_flip);
        one.significant = p < SIGNIFICANT && one.n >= pairs_needed;
        one.seeds_needed = one.effect_size.and_then(|effect| seeds_needed(effect, strictest));
    }
}

/// Equal differences are not always the same number: 97.4 - 97.1 is not 0.3.
fn is_rounding(std: f64, pairs: &[f64]) -> bool {
    let largest = pairs.iter().fold(0.0, |largest: f64, pair| largest.max(pair.abs()));
    std <= 1e-10 * largest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_common_seeds_form_pairs() {
        let baseline = [(0, 10.0), (1, 10.0), (2, 10.0), (9, 0.0)];
        let arm = [(2, 13.0), (1, 12.0), (0, 11.0), (7, 99.0)];
        assert_eq!(pairs(&baseline, &arm), [3.0, 2.0, 1.0]);
    }

    #[test]
    fn one_pair_or_equal_pairs_cannot_be_tested() {
        assert_eq!(paired_difference(&[]), Err(CannotTell::TooFewPairs { n: 0 }));
        assert_eq!(paired_difference(&[1.0]), Err(CannotTell::TooFewPairs { n: 1 }));
        assert_eq!(paired_difference(&[0.0, 0.0]), Err(CannotTell::NoSpread { n: 2, mean: 0.0 }));
        let equal = pairs(&[(0, 97.1), (1, 96.1), (2, 0.0)], &[(0, 97.4), (1, 96.4), (2, 0.3)]);
        assert_ne!(equal[0], equal[2], "rounding hides that they are equal");
        assert!(matches!(paired_difference(&equal), Err(CannotTell::NoSpread { n: 3, .. })), "{equal:?}");
        assert_eq!(pairs(&[(0, 0.3)], &[(0, 0.1 + 0.2)]), [0.0]);
        let nearly_equal = paired_difference(&[0.3, 0.3, 0.3, 0.3, 0.300_001]).unwrap();
        assert_eq!(nearly_equal.seeds_needed, Some(2));
    }

    #[test]
    fn below_five_pairs_there_is_no_bootstrap_and_no_effect_size() {
        let four = paired_difference(&[0.1, 0.2, 0.3, 0.4]).unwrap();
        assert_eq!(
            (four.bootstrap_low, four.bootstrap_high, four.effect_size, four.seeds_needed),
            (None, None, None, None)
        );
        let five = paired_difference(&[0.1, 0.2, 0.3, 0.4, 0.5]).unwrap();
        assert!(five.bootstrap_low < five.bootstrap_high && five.effect_size > Some(1.8), "{five:?}");
    }

    #[test]
    fn too_few_pairs_are_not_significant_whatever_p_is() {
        let significant = |pairs: &[f64], pairs_needed| {
            let mut difference = paired_difference(pairs).unwrap();
            adjust(&mut [&mut difference], pairs_needed);
            assert!(difference.p_adjusted < 0.01, "{difference:?}");
            difference.significant
        };
        let four = [1.0, 1.01, 0.99, 1.0];
        assert!(!significant(&four, 5) && significant(&four, 3));
        assert!(!significant(&four[..2], 3));
    }
}
