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

/// The expected lowest score of k trials, for k from 1 to the number of trials, if each was drawn from these with
/// replacement (Dodge et al., EMNLP 2019, equation 3). Trials without a score count with an error of 100 percent. Of
/// the points of a Sobol sequence, which are spread more evenly than random ones, it is an approximation.
pub fn best_of(scores: &[Option<f64>]) -> Vec<f64> {
    let mut scores: Vec<f64> = scores.iter().map(|score| score.unwrap_or(WORST)).collect();
    scores.sort_by(f64::total_cmp);
    let n = scores.len();
    // The probability that all of k draws are among those from place `from` on.
    let all_from = |from: usize, k: usize| ((n - from) as f64 / n as f64).powi(k as i32);
    let expected = |k: usize| {
        scores.iter().enumerate().map(|(i, score)| score * (all_from(i, k) - all_from(i + 1, k))).sum()
    };
    (1..=n).map(expected).collect()
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
    fn the_best_of_one_is_the_mean_and_of_many_nears_the_lowest() {
        let best = best_of(&[Some(3.0), Some(1.0), None]);
        assert!((best[0] - 104.0 / 3.0).abs() < 1e-12, "{best:?}");
        // Of two draws: 1 unless both are others, in 5 of 9 cases; 3 in 3 of 9; 100 in 1 of 9.
        assert!((best[1] - (5.0 + 9.0 + 100.0) / 9.0).abs() < 1e-12, "{best:?}");
        assert!(best.windows(2).all(|pair| pair[1] < pair[0]) && best_of(&[]).is_empty());
    }
}
