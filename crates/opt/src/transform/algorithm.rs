//! Which factorisations compute a rotation.

use tch::Device;

/// The factorisations that are fast on a kind of device. All give the same rotation and gradient up to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// LAPACK's, in the kind of the raw parameter.
    Cpu,
    /// Those that consist mostly of matrix products, in float64 where the raw parameter's kind would lose accuracy.
    Gpu,
}

impl Algorithm {
    /// The default for tensors on `device`.
    pub fn of(device: Device) -> Self {
        if device.is_cuda() { Self::Gpu } else { Self::Cpu }
    }
}
