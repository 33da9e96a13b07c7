//! The scores of trials, and what a smaller budget of trials would have found.

use std::cmp::Ordering;

/// The error that a failed trial counts with, in percent.
const WORST: f64 = 100.0;

/// The score of a trial: the mean of the errors of its seeds. `None` if a run has none, because it failed; such a trial
/// is worse than any other.
pub fn score(errors: impl ExactSizeIterator<Item = Option<f64>>) -> Option<f64> {
    let count = errors.len() as f64;
    let sum: Option<f64> = errors.sum();
    sum.filter(|_| count > 0.0).map(|sum| sum / count)
}

/// The order of scores, the best first. Trials without a score come last.
pub fn by_score(one: Option<f64>, other: Option<f64>) -> Ordering {
    let worst = |score: Option<f64>| score.unwrap_or(f64::INFINITY);
    worst(one).total_cmp(&worst(other))
}

/// The lowest score of k trials, if each is drawn from some trials with replacement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestOf {
    /// Its mean over all draws.
    pub expected: f64,
    /// Its 10th percentile: the lowest score x with P(lowest <= x) of at least 0.1.
    pub low: f64,
    /// Its 90th percentile.
    pub high: f64,
}

/// The probabilities that a draw is above the ends of the interval.
const ABOVE_LOW: f64 = 0.9;
const ABOVE_HIGH: f64 = 0.1;

/// The lowest score of k trials, for k from 1 to the number of trials. Of n scores in order, all k draws are above the
/// i-th with the probability ((n - i) / n)^k, from which the mean (Dodge et al., EMNLP 2019, equation 3) and every
/// percentile follow exactly. Trials without a score count with an error of 100 percent. Of the points of a Sobol
/// sequence, which are spread more evenly than random ones, all three are approximations.
pub fn best_of(scores: &[Option<f64>]) -> Vec<BestOf> {
    let mut scores: Vec<f64> = scores.iter().map(|score| score.unwrap_or(WORST)).collect();
    scores.sort_by(f64::total_cmp);
    let n = scores.len();
    let all_above = |i: usize, k: usize| ((n - i) as f64 / n as f64).powi(k as i32);
    let of = |k: usize| {
        let expected =
            scores.iter().enumerate().map(|(i, score)| score * (all_above(i, k) - all_above(i + 1, k)));
        let first = |above: f64| scores[(0..n - 1).find(|i| all_above(i + 1, k) <= above).unwrap_or(n - 1)];
        BestOf { expected: expected.sum(), low: first(ABOVE_LOW), high: first(ABOVE_HIGH) }
    };
    (1..=n).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_with_a_failed_run_has_no_score_and_comes_last() {
        assert_eq!(score([Some(1.0), Some(4.0)].into_iter()), Some(2.5));
        assert_eq!(score([Some(1.0), None].into_iter()), None);
        assert_eq!(score([].into_iter()), None);
        let mut scores = [None, Some(7.0), Some(2.0)];
        scores.sort_by(|one, other| by_score(*one, *other));
        assert_eq!(scores, [Some(2.0), Some(7.0), None]);
    }

    #[test]
    fn the_interval_of_the_best_narrows_to_the_lowest_scores() {
        // Each score from 1 to 10 is a tenth: both ends are met exactly.
        let best = best_of(&(1..=10).map(|score| Some(f64::from(score))).collect::<Vec<_>>());
        assert_eq!((best[0].low, best[0].high), (1.0, 9.0));
        // The lowest of ten is above 2 with a probability of 0.8^10 = 0.107, and above 3 with one of 0.028.
        assert_eq!((best[9].low, best[9].high), (1.0, 3.0));
        let failed = best_of(&[None, None]);
        assert!(failed.iter().all(|best| (best.low, best.expected, best.high) == (WORST, WORST, WORST)));
    }

    #[test]
    fn the_best_of_one_is_the_mean_and_of_many_nears_the_lowest() {
        let best = best_of(&[Some(3.0), Some(1.0), None]);
        assert!((best[0].expected - 104.0 / 3.0).abs() < 1e-12, "{best:?}");
        // Of two draws: 1 unless both are others, in 5 of 9 cases; 3 in 3 of 9; 100 in 1 of 9.
        assert!((best[1].expected - (5.0 + 9.0 + 100.0) / 9.0).abs() < 1e-12, "{best:?}");
        assert!(best.windows(2).all(|pair| pair[1].expected < pair[0].expected) && best_of(&[]).is_empty());
    }
}
