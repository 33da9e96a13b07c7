//! Hyperspherical energy: how evenly the directions of a layer's neurons spread over the sphere.
//!
//! Source: Liu et al., "Learning towards Minimum Hyperspherical Energy", NeurIPS 2018,
//! <https://arxiv.org/abs/1805.09298>, section 3. With w^ = w / ||w|| and z = ||w^_i - w^_j||,
//!
//! ```text
//! E_s = mean over pairs of f_s(z),   f_s(z) = z^-s for s > 0,   f_0(z) = log(1/z)
//! ```
//!
//! The papers state the sum over i != j: this mean times the number of pairs. Half-space energy counts every
//! neuron and its mirror -w^ as one direction: the same over the 2n vectors, without the pairs {w^, -w^}.
//!
//! [`hyperspherical_energy`] measures it, [`energy_penalty`] is the same as a term of the loss, and [`refine`] lowers
//! it before training.

mod measure;
mod penalty;
mod refine;

pub use measure::hyperspherical_energy;
pub use penalty::energy_penalty;
pub use refine::refine;

use tch::Tensor;

use crate::Error;

/// Which energy is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnergyConfig {
    /// s; 0 means the logarithmic energy.
    pub power: u32,
    /// Whether a neuron and its mirror count as one direction.
    pub half_space: bool,
}

impl Default for EnergyConfig {
    /// s = 1 over the whole sphere.
    fn default() -> Self {
        Self { power: 1, half_space: false }
    }
}

/// How many neurons (rows) a weight, `[n, ...]`, has, if they make a pair.
fn count_neurons(weight: &Tensor) -> Result<i64, Error> {
    match weight.size()[..] {
        [n, _, ..] if n >= 2 => Ok(n),
        _ => Err(Error::NoPairs { size: weight.size() }),
    }
}

/// Distances that the energy of `neurons` is the mean over. In half-space each pair stands for two: to the other and
/// to its mirror.
fn count_distances(neurons: i64, config: &EnergyConfig) -> f64 {
    let pairs = (neurons * (neurons - 1) / 2) as f64;
    if config.half_space { 2.0 * pairs } else { pairs }
}

/// The sum of f_s above the diagonal, from squared distances, `[rows, columns]`: a scalar.
fn upper_sum(squared: &Tensor, power: u32) -> Result<Tensor, Error> {
    let terms = match power {
        0 => squared.f_log()?.f_mul_scalar(-0.5)?,
        _ => squared.f_pow_tensor_scalar(-0.5 * f64::from(power))?,
    };
    Ok(terms.f_triu(1)?.f_sum(squared.kind())?)
}
