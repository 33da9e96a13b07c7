//! Mean and standard deviation.

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
