//! Inputs that determine the initial network.

use optlab_spec::MethodSpec;
use tch::Device;

/// The inputs of the initial weights of a network.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Of the arm.
    pub method: &'a MethodSpec,
    /// Of the job.
    pub seed: u64,
    /// The device of the network.
    pub device: Device,
    /// Completed updates, which determine the round of stochastic OPT.
    pub updates: u64,
}

#[cfg(test)]
impl Start<'_> {
    /// Plain training of a layer on the CPU.
    pub(crate) fn baseline(seed: u64) -> Self {
        Self { method: &MethodSpec::BASELINE, seed, device: Device::Cpu, updates: 0 }
    }
}
