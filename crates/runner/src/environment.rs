//! The environment of a job: devices, names and versions.

use std::env;
use std::fs;
use std::thread;

use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device as Gpu, Nvml};
use optlab_spec::protocol::{Environment, Probe, ProbedDevice, Version};
use tch::{Cuda, Device, utils};

use crate::failure::JobError;

/// The devices of this machine, for `optlab doctor` and for the slots of a worker.
pub fn probe() -> Probe {
    let gpus = (0..Cuda::device_count().max(0) as usize).map(Device::Cuda);
    let devices = [Device::Cpu].into_iter().chain(gpus);
    Probe {
        protocol: Version,
        libtorch: libtorch_version(),
        devices: devices.map(probe_device).collect(),
        threads: thread::available_parallelism().map_or(1, usize::from),
    }
}

fn probe_device(device: Device) -> ProbedDevice {
    let uuid = match device {
        Device::Cuda(index) => of_gpu(index, |gpu| gpu.uuid()),
        _ => None,
    };
    ProbedDevice { device: word(device), name: name(device), uuid }
}

/// The environment that is stored with the attempt.
pub fn environment(device: Device, threads: u64) -> Environment {
    Environment {
        optlab: env!("CARGO_PKG_VERSION").to_owned(),
        libtorch: libtorch_version(),
        device: word(device),
        device_name: name(device),
        threads,
    }
}

/// The device of this name, if this machine has it.
///
/// # Errors
/// [`JobError::Device`] that says what to do.
pub fn device(asked: &str) -> Result<Device, JobError> {
    let cuda = asked.strip_prefix("cuda:").and_then(|index| index.parse::<usize>().ok());
    let here = Cuda::device_count().max(0) as usize;
    match (asked, cuda) {
        ("cpu", _) => Ok(Device::Cpu),
        (_, Some(index)) if index < here => Ok(Device::Cuda(index)),
        (_, Some(_)) if here > 0 => Err(JobError::Device(format!(
            "there is no `{asked}`: this machine has {here} CUDA devices, numbered from cuda:0"
        ))),
        (_, Some(_)) => Err(JobError::Device(format!(
            "`{asked}` cannot be used: libtorch finds no CUDA device here. Run on `cpu`, or install the NVIDIA \
             driver and run `make setup` again for a libtorch with CUDA"
        ))),
        _ => Err(JobError::Device(format!(
            "unknown device `{asked}`; valid are `cpu`, `cuda:0`, `cuda:1`, ..."
        ))),
    }
}

fn word(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        _ => "cpu".to_owned(),
    }
}

fn libtorch_version() -> String {
    let version = env!("OPTLAB_LIBTORCH");
    if !Cuda::is_available() {
        return version.to_owned();
    }
    // 13000 is 13.0.
    let cuda = utils::version_cudart();
    format!("{version} (CUDA {}.{})", cuda / 1000, cuda % 1000 / 10)
}

fn name(device: Device) -> String {
    match device {
        Device::Cuda(index) => of_gpu(index, |gpu| gpu.name()).unwrap_or_else(|| "a CUDA device".to_owned()),
        _ => cpu_name().unwrap_or_else(|| env::consts::ARCH.to_owned()),
    }
}

fn cpu_name() -> Option<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = cpus.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// NVML numbers all GPUs by their position on the bus, CUDA only the visible ones. CUDA_DEVICE_ORDER, which workers
/// set, makes CUDA use the same order.
fn of_gpu(index: usize, ask: fn(&Gpu<'_>) -> Result<String, NvmlError>) -> Option<String> {
    let nvml = Nvml::init().ok()?;
    let visible = env::var("CUDA_VISIBLE_DEVICES").unwrap_or_default();
    let gpu = match visible.split(',').nth(index).map(str::trim).filter(|id| !id.is_empty()) {
        None => nvml.device_by_index(index as u32),
        Some(id) => id.parse().map_or_else(|_| nvml.device_by_uuid(id), |index| nvml.device_by_index(index)),
    };
    ask(&gpu.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use optlab_domain::EndReason;

    use super::*;

    #[test]
    fn a_missing_device_is_a_fault_of_the_machine() {
        assert_eq!(device("cpu").unwrap(), Device::Cpu);
        for (asked, says) in [("cuda:99", "cuda:99"), ("gpu", "valid are `cpu`"), ("cuda:", "unknown device")]
        {
            let failure = device(asked).unwrap_err().failure();
            assert_eq!(failure.reason, EndReason::MachineFault);
            assert!(failure.error.contains(says), "{}", failure.error);
        }
    }

    #[test]
    fn libtorch_has_a_version() {
        assert!(libtorch_version().starts_with("2."), "{}", libtorch_version());
    }
}
