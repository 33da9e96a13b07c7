//! Student's t over paired differences: exact where they come from one normal distribution.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Two-sided p-value of the mean of `n` differences being 0, by their mean and sample standard deviation.
pub fn p_value(n: usize, mean: f64, std: f64) -> f64 {
    2.0 * student(n).cdf(-(mean / standard_error(n, std)).abs())
}

/// The interval around the mean that holds the true mean in a share `level` of experiments.
pub fn interval(n: usize, mean: f64, std: f64, level: f64) -> [f64; 2] {
    let reach = quantile(n, level) * standard_error(n, std);
    [mean - reach, mean + reach]
}

/// How many standard errors lie between the mean and the end of its interval.
pub(super) fn quantile(n: usize, level: f64) -> f64 {
    student(n).inverse_cdf(0.5 + level / 2.0)
}

fn standard_error(n: usize, std: f64) -> f64 {
    std / (n as f64).sqrt()
}

fn student(n: usize) -> StudentsT {
    StudentsT::new(0.0, 1.0, (n - 1) as f64).expect("at least two differences")
}
