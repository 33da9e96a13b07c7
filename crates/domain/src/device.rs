//! Devices of machines, and the kinds of them that a job may run on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::word::words;

words! {
    /// A kind of device.
    pub enum DeviceKind {
        /// The processor.
        Cpu,
        /// A GPU that libtorch uses through CUDA.
        Cuda,
    }

    /// Devices on which a job may run.
    pub enum WantedDevice {
        /// Any slot.
        Any,
        /// Only CPU slots.
        Cpu,
        /// Only CUDA slots.
        Cuda,
    }
}

impl WantedDevice {
    /// Whether a job may run on devices of this kind.
    pub fn admits(self, kind: DeviceKind) -> bool {
        match self {
            Self::Any => true,
            Self::Cpu => kind == DeviceKind::Cpu,
            Self::Cuda => kind == DeviceKind::Cuda,
        }
    }

    /// Whether a job may run on the device of this name. Only [`WantedDevice::Any`] admits a device
    /// that this version does not know.
    pub fn admits_named(self, device: &str) -> bool {
        match device.parse::<Device>() {
            Ok(device) => self.admits(device.kind()),
            Err(UnknownDevice(_)) => self == Self::Any,
        }
    }
}

/// A device of a machine: `cpu`, `cuda:0`, ... as text and in JSON.
///
/// A device in a database or in an answer of another server stays text, because another version may know other
/// devices. It is parsed where a decision depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Device {
    /// The processor.
    Cpu,
    /// The GPU of this number, counted from 0.
    Cuda(u32),
}

impl Device {
    /// Its kind.
    pub fn kind(self) -> DeviceKind {
        match self {
            Self::Cpu => DeviceKind::Cpu,
            Self::Cuda(_) => DeviceKind::Cuda,
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => write!(f, "cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// A text that names no device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownDevice(String);

impl fmt::Display for UnknownDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown device `{}`; valid are `cpu`, `cuda:0`, `cuda:1`, ...", self.0)
    }
}

impl std::error::Error for UnknownDevice {}

impl FromStr for Device {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        let number = text.strip_prefix("cuda:").and_then(|number| number.parse().ok());
        match (text, number) {
            ("cpu", _) => Ok(Self::Cpu),
            (_, Some(number)) => Ok(Self::Cuda(number)),
            _ => Err(UnknownDevice(text.to_owned())),
        }
    }
}

impl From<Device> for String {
    fn from(device: Device) -> Self {
        device.to_string()
    }
}

impl TryFrom<String> for Device {
    type Error = UnknownDevice;

    fn try_from(text: String) -> Result<Self, UnknownDevice> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_the_same_as_text_and_in_json() {
        for (device, text) in
            [(Device::Cpu, "cpu"), (Device::Cuda(0), "cuda:0"), (Device::Cuda(12), "cuda:12")]
        {
            assert_eq!((device.to_string().as_str(), text.parse()), (text, Ok(device)));
            assert_eq!(serde_json::to_value(device).unwrap(), text);
            assert_eq!(serde_json::from_value::<Device>(text.into()).unwrap(), device);
        }
    }

    #[test]
    fn another_text_is_refused_with_the_devices_there_are() {
        for text in ["", "gpu", "cuda", "cuda:", "cuda:-1", "cuda:x", "CPU", "any"] {
            let error = text.parse::<Device>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`; valid are `cpu`, `cuda:0`")), "{error}");
        }
    }

    #[test]
    fn a_job_runs_on_the_kind_that_it_wants() {
        let admits =
            |wanted: WantedDevice| [DeviceKind::Cpu, DeviceKind::Cuda].map(|kind| wanted.admits(kind));
        let all = [WantedDevice::Any, WantedDevice::Cpu, WantedDevice::Cuda].map(admits);
        assert_eq!(all, [[true, true], [true, false], [false, true]]);
        let admits = |wanted: WantedDevice| ["cpu", "cuda:1", "tpu:0"].map(|name| wanted.admits_named(name));
        let all = [WantedDevice::Any, WantedDevice::Cpu, WantedDevice::Cuda].map(admits);
        assert_eq!(all, [[true, true, true], [true, false, false], [false, true, false]]);
    }
}
