//! The output of `optlab-runner --probe` about its machine, one line of JSON.

use optlab_domain::Device;
use serde::{Deserialize, Serialize};

use super::Version;

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
