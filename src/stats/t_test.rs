//! Student's t-test of paired differences, exact for normally distributed differences.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Two-sided p-value for a true mean of 0, from the mean and sample standard deviation of `n` differences.
pub fn p_value(n: usize, mean: f64, std: f64) -> f64 {
    2.0 * student(n).cdf(-(mean / standard_error(n, std)).abs())
}

/// The confidence interval of the mean at `level`.
pub fn interval(n: usize, mean: f64, std: f64, level: f64) -> [f64; 2] {
    let reach = quantile(n, level) * standard_error(n, std);
    [mean - reach, mean + reach]
}

/// Half the width of the interval, in standard errors.
pub(super) fn quantile(n: usize, level: f64) -> f64 {
    student(n).inverse_cdf(0.5 + level / 2.0)
}

fn standard_error(n: usize, std: f64) -> f64 {
    std / (n as f64).sqrt()
}

fn student(n: usize) -> StudentsT {
    StudentsT::new(0.0, 1.0, (n - 1) as f64).expect("at least two differences")
}
