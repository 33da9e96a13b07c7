//! Constants of the published code.

/// Share of the previous momentum in the next one.
pub const MOMENTUM: f64 = 0.9;

/// Added to the norm of Omega before a division by it.
pub const EPSILON: f64 = 1e-8;
