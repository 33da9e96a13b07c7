//! Arms against the baseline, seed by seed.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Mean and spread of some figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// How many.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation of the sample; `None` for a single figure.
    pub std: Option<f64>,
}

/// `None` for no figures.
pub fn spread(values: &[f64]) -> Option<Spread> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some(Spread { n, mean, std: (n > 1).then(|| (squares / (n - 1) as f64).sqrt()) })
}

/// A paired difference with its uncertainty (Student's t over the seeds that both arms have).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Pairs.
    pub n: usize,
    /// Mean of arm minus baseline.
    pub mean: f64,
    /// Lower end of the 95% interval.
    pub low: f64,
    /// Upper end of the 95% interval.
    pub high: f64,
    /// Two-sided p-value of no difference.
    pub p_value: f64,
}

/// Arm minus baseline over the seeds in both; each side is `(seed, value)`. `None` where a spread cannot be known:
/// below two pairs, or where all pairs differ by the same.
pub fn paired_difference(baseline: &[(i64, f64)], arm: &[(i64, f64)]) -> Option<Difference> {
    let partner = |seed| baseline.iter().find(|(other, _)| *other == seed).map(|(_, value)| value);
    let differences: Vec<f64> =
        arm.iter().filter_map(|(seed, value)| Some(value - partner(*seed)?)).collect();
    let Spread { n, mean, std: Some(std) } = spread(&differences)? else { return None };
    let error = std / (n as f64).sqrt();
    if error == 0.0 {
        // With few test images and seeds all pairs may differ by the same by chance: that is no certainty.
        return None;
    }
    let t = StudentsT::new(0.0, 1.0, (n - 1) as f64).expect("at least one degree of freedom");
    let reach = t.inverse_cdf(0.975) * error;
    let p_value = 2.0 * t.cdf(-(mean / error).abs());
    Some(Difference { n, mean, low: mean - reach, high: mean + reach, p_value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_t_test() {
        // Differences 1, 2, 3: mean 2, standard error 1/sqrt(3), t(0.975, 2) = 4.302653, t = 3.4641, p = 0.0742.
        let baseline = [(0, 10.0), (1, 10.0), (2, 10.0), (9, 0.0)];
        let arm = [(2, 13.0), (1, 12.0), (0, 11.0), (7, 99.0)];
        let difference = paired_difference(&baseline, &arm).unwrap();
        assert_eq!((difference.n, difference.mean), (3, 2.0));
        assert!((difference.high - 2.0 - 4.302_652_7 / 3f64.sqrt()).abs() < 1e-6, "{difference:?}");
        assert!((difference.p_value - 0.074_180).abs() < 1e-5, "{difference:?}");
    }

    #[test]
    fn one_pair_says_nothing_and_neither_do_equal_pairs() {
        assert_eq!(paired_difference(&[(0, 1.0)], &[(0, 2.0)]), None);
        assert_eq!(paired_difference(&[(0, 1.0), (1, 2.0)], &[(0, 0.5), (1, 1.5)]), None);
    }
}
