//! Why libtorch finds none of the NVIDIA GPUs of a machine.

use std::fs;

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;
use optlab_spec::protocol::{BUILD, UnusableGpus};

use crate::libtorch::{self, CUDA_HALF};

/// The oldest major version of the driver for CUDA 13, with which libtorch 2.11.0 is built.
const OLDEST_DRIVER: u32 = 580;

/// No machine has as many GPUs.
const MOST_GPUS: u32 = 128;
/// Where the cause is not known.
const LOOK: &str = "see what `nvidia-smi` reports, restart the machine after an update of its driver, see whether the \
                    fabric manager runs if it has NVSwitch, and whether there are instances if MIG is on";

/// What is known about the GPUs of a machine on which libtorch finds none.
#[derive(Debug)]
struct Facts {
    /// `CUDA_VISIBLE_DEVICES`.
    visible: Option<String>,
    /// Whether a GPU of NVIDIA is on the PCI bus without a driver.
    without_a_driver: bool,
    /// The driver; the error of its library otherwise.
    driver: Result<Driver, NvmlError>,
    /// The loader's error where the CUDA half of libtorch does not open.
    cuda_half: Result<(), String>,
}

#[derive(Debug)]
struct Driver {
    version: String,
    /// The number of GPUs of the machine.
    count: u32,
    /// Names of the GPUs that this process may use.
    gpus: Vec<String>,
    /// Their UUIDs.
    uuids: Vec<String>,
}

/// Why libtorch finds no GPU; `None` if this machine has none, or none for this process. `visible` is the value of
/// `CUDA_VISIBLE_DEVICES`.
pub fn unusable(visible: Option<String>) -> Option<UnusableGpus> {
    let (without_a_driver, cuda_half) = (without_a_driver(), libtorch::cuda_half());
    let facts = Facts { visible, without_a_driver, driver: driver(), cuda_half };
    tracing::debug!(?facts, "libtorch finds no GPU");
    facts.unusable()
}

/// Whether a device of the bus has NVIDIA's vendor id, the class of a display controller (pci_ids.h) and no driver. With a
/// driver other than NVIDIA's, the GPU is meant for something else.
fn without_a_driver() -> bool {
    let devices = fs::read_dir("/sys/bus/pci/devices").into_iter().flatten().flatten();
    devices.map(|device| device.path()).any(|device| {
        let has = |file: &str, start: &str| {
            fs::read_to_string(device.join(file)).is_ok_and(|text| text.starts_with(start))
        };
        has("vendor", "0x10de") && has("class", "0x03") && !device.join("driver").exists()
    })
}

fn driver() -> Result<Driver, NvmlError> {
    let nvml = Nvml::init()?;
    // First, because old drivers lack later functions.
    let version = nvml.sys_driver_version()?;
    let name = |number| match nvml.device_by_index(number).and_then(|gpu| gpu.name()) {
        Ok(name) => Some(name),
        // It belongs to another container or job.
        Err(NvmlError::NoPermission | NvmlError::OperatingSystem) => None,
        Err(_) => Some("a GPU that does not answer".to_owned()),
    };
    let uuid = |number| nvml.device_by_index(number).and_then(|gpu| gpu.uuid()).ok();
    let count = nvml.device_count()?;
    Ok(Driver {
        version,
        count,
        gpus: (0..count).filter_map(name).collect(),
        uuids: (0..count).filter_map(uuid).collect(),
    })
}

impl Facts {
    fn unusable(&self) -> Option<UnusableGpus> {
        let (why, cure) = if self.hides_all() { None } else { self.cause() }?;
        Some(UnusableGpus { why, cure })
    }

    /// Whether a person or a scheduler has hidden every GPU: CUDA ignores what follows an invalid entry. Slurm writes
    /// `NoDevFiles`, others `none` or a number that no GPU has.
    fn hides_all(&self) -> bool {
        let is_number = |first: &str| first.parse().is_ok_and(|number: u32| number < MOST_GPUS);
        self.first_visible().is_some_and(|first| !is_uuid(first) && !is_number(first))
    }

    /// The first entry of `CUDA_VISIBLE_DEVICES`.
    fn first_visible(&self) -> Option<&str> {
        Some(self.visible.as_deref()?.split(',').next().unwrap_or_default().trim())
    }

    /// The cause and the remedy.
    fn cause(&self) -> Option<(String, String)> {
        let driver = match &self.driver {
            Ok(driver) if driver.gpus.is_empty() => return None,
            Ok(driver) => driver,
            // No driver is installed, or this is a container without GPUs.
            Err(NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound) => return None,
            // This process may use none.
            Err(NvmlError::NoPermission | NvmlError::OperatingSystem) => return None,
            Err(NvmlError::DriverNotLoaded) if !self.without_a_driver => return None,
            Err(error) => return Some(of_driver(error)),
        };
        let (gpus, version) = (driver.gpus.join(", "), &driver.version);
        Some(match (&self.cuda_half, self.first_visible()) {
            _ if driver.major().is_some_and(|major| major < OLDEST_DRIVER) => (
                format!("the driver of {gpus} is {version}, which is too old for CUDA 13"),
                format!("install NVIDIA's driver {OLDEST_DRIVER} or newer"),
            ),
            (Err(error), _) if is_missing(error) => (
                format!("libtorch has no CUDA here, but there is {gpus}"),
                format!("run `{BUILD}`, or build the image of a container with LIBTORCH_VARIANT=cuda"),
            ),
            (Err(error), _) => (
                format!("{CUDA_HALF} does not open, so {gpus} cannot be used: {error}"),
                format!("run `{BUILD}`"),
            ),
            (Ok(()), Some(first)) if driver.lacks(first) => (
                format!("CUDA_VISIBLE_DEVICES names {first}, which is none of {gpus}"),
                "unset it, or name GPUs that `nvidia-smi -L` lists".to_owned(),
            ),
            (Ok(()), _) => {
                (format!("libtorch does not find {gpus}, which the driver {version} lists"), LOOK.to_owned())
            }
        })
    }
}

impl Driver {
    /// Whether it has no GPU with this entry of `CUDA_VISIBLE_DEVICES`: a number, or the start of a UUID.
    fn lacks(&self, entry: &str) -> bool {
        match entry.parse::<u32>() {
            Ok(number) => number >= self.count,
            Err(_) => entry.starts_with("GPU-") && !self.uuids.iter().any(|uuid| uuid.starts_with(entry)),
        }
    }

    fn major(&self) -> Option<u32> {
        self.version.split('.').next()?.parse().ok()
    }
}

/// The cause and the remedy where the driver's library answers with this error.
fn of_driver(error: &NvmlError) -> (String, String) {
    let (why, cure) = match error {
        NvmlError::DriverNotLoaded => (
            "this machine has an NVIDIA GPU, but the driver's kernel module is not loaded".to_owned(),
            "run `modprobe nvidia`, or install the driver again for the present kernel",
        ),
        NvmlError::LibRmVersionMismatch => (
            "the libraries of NVIDIA's driver and its kernel module have different versions".to_owned(),
            "restart the machine, as after every update of the driver",
        ),
        error => (format!("NVIDIA's driver does not answer: {error}"), LOOK),
    };
    (why, cure.to_owned())
}

fn is_uuid(entry: &str) -> bool {
    entry.starts_with("GPU-") || entry.starts_with("MIG-")
}

/// Whether the CUDA half is not installed, by the loader's text.
fn is_missing(error: &str) -> bool {
    error.starts_with(&format!("{CUDA_HALF}: cannot open shared object file: No such file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine on which everything seems right, and still libtorch finds no GPU.
    fn healthy() -> Facts {
        Facts { visible: None, without_a_driver: true, driver: version("580.65.06"), cuda_half: Ok(()) }
    }

    fn version(version: &str) -> Result<Driver, NvmlError> {
        let (gpus, uuids) = (vec!["NVIDIA H200".to_owned()], vec!["GPU-1a2b-3c4d".to_owned()]);
        Ok(Driver { version: version.to_owned(), count: 1, gpus, uuids })
    }

    fn loader(error: &str) -> Result<(), String> {
        Err(format!("{error}: cannot open shared object file: No such file or directory"))
    }

    #[test]
    fn a_machine_without_gpus_has_no_unusable_ones() {
        let none = Driver { version: "580.1".to_owned(), count: 0, gpus: Vec::new(), uuids: Vec::new() };
        let no_library = || Err(NvmlError::LibraryNotFound);
        for facts in [
            Facts { driver: Ok(none), ..healthy() },
            Facts {
                driver: no_library(),
                without_a_driver: false,
                cuda_half: loader(CUDA_HALF),
                ..healthy()
            },
            // A container on a machine with GPUs sees the bus, and only the driver's files if it may use one.
            Facts { driver: no_library(), cuda_half: loader(CUDA_HALF), ..healthy() },
            Facts { driver: Err(NvmlError::DriverNotLoaded), without_a_driver: false, ..healthy() },
            Facts { driver: Err(NvmlError::NoPermission), ..healthy() },
        ] {
            assert_eq!(facts.unusable(), None);
        }
    }

    #[test]
    fn gpus_that_a_person_has_hidden_are_not_reported() {
        for visible in ["", " ", "-1", "-1,0", "NoDevFiles", "none", "10000"] {
            let hidden = Facts { visible: Some(visible.to_owned()), ..healthy() };
            assert_eq!(hidden.unusable(), None, "{visible:?}");
        }
    }

    #[test]
    fn every_cause_has_its_remedy() {
        let failed = |error| Facts { driver: Err(error), ..healthy() };
        for (facts, why, cure) in [
            (failed(NvmlError::DriverNotLoaded), "kernel module is not loaded", "modprobe nvidia"),
            (failed(NvmlError::LibRmVersionMismatch), "different versions", "restart the machine"),
            (failed(NvmlError::Unknown), "does not answer", "nvidia-smi"),
            (
                Facts { driver: version("535.104.05"), cuda_half: loader(CUDA_HALF), ..healthy() },
                "the driver of NVIDIA H200 is 535.104.05, which is too old",
                "driver 580 or newer",
            ),
            (
                Facts { cuda_half: loader(CUDA_HALF), ..healthy() },
                "libtorch has no CUDA here, but there is NVIDIA H200",
                "make setup && cargo build --release",
            ),
            (
                Facts { cuda_half: loader("libcudart.so.13"), ..healthy() },
                "libtorch_cuda.so does not open, so NVIDIA H200 cannot be used: libcudart.so.13",
                "make setup",
            ),
            (
                Facts { visible: Some("7".to_owned()), ..healthy() },
                "CUDA_VISIBLE_DEVICES names 7, which is none of NVIDIA H200",
                "nvidia-smi -L",
            ),
            (
                Facts { visible: Some("GPU-ffff".to_owned()), ..healthy() },
                "CUDA_VISIBLE_DEVICES names GPU-ffff, which is none of NVIDIA H200",
                "nvidia-smi -L",
            ),
            (
                Facts { visible: Some("GPU-1a2b".to_owned()), ..healthy() },
                "libtorch does not find NVIDIA H200",
                "MIG",
            ),
            (
                Facts { visible: Some("0".to_owned()), ..healthy() },
                "libtorch does not find NVIDIA H200",
                "fabric manager",
            ),
            (healthy(), "libtorch does not find NVIDIA H200, which the driver 580.65.06 lists", "nvidia-smi"),
        ] {
            let unusable = facts.unusable().expect("something is wrong");
            assert!(unusable.why.contains(why) && unusable.cure.contains(cure), "{unusable}");
        }
    }
}
