//! Pairs of neurons: how many there are, and the sum over them.

use tch::Tensor;

use super::config::EnergyConfig;
use crate::Error;

/// The number of neurons (rows) of a weight, `[n, ...]`, if there are at least two.
pub(super) fn count_neurons(weight: &Tensor) -> Result<i64, Error> {
    match weight.size()[..] {
        [n, _, ..] if n >= 2 => Ok(n),
        _ => Err(Error::NoPairs { size: weight.size() }),
    }
}

/// The number of distances in the mean. In half-space, each pair has two: to the other neuron and to its mirror.
pub(super) fn count_distances(neurons: i64, config: &EnergyConfig) -> f64 {
    let pairs = (neurons * (neurons - 1) / 2) as f64;
    if config.half_space { 2.0 * pairs } else { pairs }
}

/// The sum of f_s above the diagonal, from squared distances, `[rows, columns]`: a scalar.
pub(super) fn upper_sum(squared: &Tensor, power: u32) -> Result<Tensor, Error> {
    let terms = match power {
        0 => squared.f_log()?.f_mul_scalar(-0.5)?,
        _ => squared.f_pow_tensor_scalar(-0.5 * f64::from(power))?,
    };
    Ok(terms.f_triu(1)?.f_sum(squared.kind())?)
}
