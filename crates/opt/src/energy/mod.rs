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

mod config;
mod pairs;

mod measure;
mod penalty;
mod refine;

pub use config::EnergyConfig;
pub use measure::hyperspherical_energy;
pub use penalty::energy_penalty;
pub use refine::refine;
