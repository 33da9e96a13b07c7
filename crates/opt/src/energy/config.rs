//! The choice among hyperspherical energies.

/// The kind of energy.
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
