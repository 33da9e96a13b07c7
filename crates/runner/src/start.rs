//! What decides the state of a network before its first update.

use optlab_spec::MethodSpec;
use tch::Device;

/// What decides how the weights of a network start.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Of the arm.
    pub method: &'a MethodSpec,
    /// Of the job.
    pub seed: u64,
    /// Where the network lives.
    pub device: Device,
    /// Completed updates, which say what a round of stochastic OPT turns.
    pub updates: u64,
}

#[cfg(test)]
impl Start<'_> {
    /// Plain training of a layer on the CPU.
    pub(crate) fn baseline(seed: u64) -> Self {
        Self { method: &MethodSpec::BASELINE, seed, device: Device::Cpu, updates: 0 }
    }
}
