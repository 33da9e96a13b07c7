//! Standard normal draws for tests: a pure function of size and seed, so that tests share no generator.

use std::f64::consts::TAU;

use tch::{Kind, Tensor};

pub fn gaussian(size: &[i64], seed: u64, kind: Kind) -> Tensor {
    let count: i64 = size.iter().product();
    let values: Vec<f64> = (0..count as u64).map(|i| normal(seed, i)).collect();
    Tensor::from_slice(&values).view(size).to_kind(kind)
}

/// Box-Muller on two hashed uniforms.
fn normal(seed: u64, index: u64) -> f64 {
    let radius = (-2.0 * uniform(seed, 2 * index).ln()).sqrt();
    radius * (TAU * uniform(seed, 2 * index + 1)).cos()
}

/// In (0, 1): the splitmix64 finaliser of Steele, Lea and Flood (OOPSLA 2014) over a counter.
fn uniform(seed: u64, counter: u64) -> f64 {
    let mut z = (seed << 32 | counter).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 + f64::EPSILON / 4.0
}
