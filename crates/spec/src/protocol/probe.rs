//! The output of `optlab-runner --probe` about its machine, one line of JSON.

use std::fmt;

use optlab_domain::{Device, DeviceKind};
use serde::{Deserialize, Serialize};

use super::Version;

/// The command that installs libtorch for a machine and builds the programs with it, whose folder they keep.
pub const BUILD: &str = "make setup && cargo build --release";

/// The devices and libraries of a runner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Version of the protocol that the runner speaks.
    pub protocol: Version,
    /// Version of libtorch.
    pub libtorch: String,
    /// The CPU first, then each GPU.
    pub devices: Vec<ProbedDevice>,
    /// Hardware threads available to the runner.
    pub threads: usize,
    /// Why libtorch finds none of the NVIDIA GPUs of this machine; `None` if it finds one, or if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusable_gpus: Option<UnusableGpus>,
}

impl Probe {
    /// The GPUs that libtorch finds.
    pub fn gpus(&self) -> impl Iterator<Item = Device> {
        let devices = self.devices.iter().map(|probed| probed.device);
        devices.filter(|device| device.kind() == DeviceKind::Cuda)
    }
}

/// Why no GPU of a machine can be used, and what to do about it. Both are clauses without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnusableGpus {
    /// The cause.
    pub why: String,
    /// The remedy.
    pub cure: String,
}

impl UnusableGpus {
    /// How to train on the CPU of such a machine.
    pub const USE_THE_CPU: &str = "to train on the CPU instead, give `optlab worker` and `optlab train` --device cpu, \
                                   and start `optlab serve` and `optlab demo` with CUDA_VISIBLE_DEVICES=\"\"";
}

impl fmt::Display for UnusableGpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. To fix this, {}; {}", self.why, self.cure, Self::USE_THE_CPU)
    }
}

/// A device that libtorch can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbedDevice {
    /// The device.
    pub device: Device,
    /// Product name of the processor or GPU.
    pub name: String,
    /// UUID of a GPU, assigned by the driver and independent of its number here.
    pub uuid: Option<String>,
}
