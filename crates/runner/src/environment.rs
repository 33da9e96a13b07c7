//! The environment of a job: devices, names and versions.

use std::env;
use std::fs;
use std::thread;

use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device as Gpu, Nvml};
use optlab_domain::Device;
use optlab_spec::protocol::{Environment, Probe, ProbedDevice, Version};
use tch::{Cuda, Kind, Tensor, utils};

use crate::failure::JobError;
use crate::gpus;

/// The devices of this machine, for `optlab doctor` and for the slots of a worker.
pub fn probe() -> Probe {
    let usable = cuda_devices();
    let gpus = (0..usable).map(Device::Cuda);
    let devices = [Device::Cpu].into_iter().chain(gpus);
    Probe {
        protocol: Version,
        libtorch: libtorch_version(),
        devices: devices.map(probe_device).collect(),
        threads: thread::available_parallelism().map_or(1, usize::from),
        unusable_gpus: (usable == 0).then(|| gpus::unusable(visible())).flatten(),
    }
}

fn probe_device(device: Device) -> ProbedDevice {
    let uuid = match device {
        Device::Cuda(number) => of_gpu(number, |gpu| gpu.uuid()),
        Device::Cpu => None,
    };
    ProbedDevice { device, name: name(device), uuid }
}

/// The environment that is stored with the attempt.
pub fn environment(device: Device, threads: u64) -> Environment {
    Environment {
        optlab: env!("CARGO_PKG_VERSION").to_owned(),
        libtorch: libtorch_version(),
        device: device.to_string(),
        device_name: name(device),
        threads,
    }
}

/// The device as libtorch names it, if this machine has it.
///
/// # Errors
/// [`JobError::Device`] that says what to do.
pub fn of_libtorch(device: Device) -> Result<tch::Device, JobError> {
    let here = cuda_devices();
    match device {
        Device::Cpu => Ok(tch::Device::Cpu),
        Device::Cuda(number) if number < here => answering(device, tch::Device::Cuda(number as usize)),
        Device::Cuda(_) if here > 0 => Err(JobError::Device(format!(
            "there is no `{device}`: this machine has {here} CUDA devices, numbered from cuda:0"
        ))),
        Device::Cuda(_) => Err(JobError::Device(match gpus::unusable(visible()) {
            Some(unusable) => format!("`{device}` cannot be used: {unusable}"),
            None => format!(
                "`{device}` cannot be used: this process finds no NVIDIA GPU; `optlab doctor` lists the devices"
            ),
        })),
    }
}

/// The device as libtorch names it, if it answers now. Counting the devices does not use them, and one may have no memory
/// left, belong to another process alone or be broken.
fn answering(device: Device, of_libtorch: tch::Device) -> Result<tch::Device, JobError> {
    match Tensor::f_zeros([1], (Kind::Float, of_libtorch)) {
        Ok(_) => Ok(of_libtorch),
        Err(error) => Err(JobError::Device(format!("`{device}` does not answer: {error}"))),
    }
}

/// How many CUDA devices libtorch finds.
fn cuda_devices() -> u32 {
    u32::try_from(Cuda::device_count()).unwrap_or(0)
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
        Device::Cuda(number) => {
            of_gpu(number, |gpu| gpu.name()).unwrap_or_else(|| "a CUDA device".to_owned())
        }
        Device::Cpu => cpu_name().unwrap_or_else(|| env::consts::ARCH.to_owned()),
    }
}

fn cpu_name() -> Option<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = cpus.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn visible() -> Option<String> {
    env::var("CUDA_VISIBLE_DEVICES").ok()
}

/// NVML numbers all GPUs by their position on the bus, CUDA only the visible ones. CUDA_DEVICE_ORDER, which workers
/// set, makes CUDA use the same order.
fn of_gpu(number: u32, ask: fn(&Gpu<'_>) -> Result<String, NvmlError>) -> Option<String> {
    let nvml = Nvml::init().ok()?;
    let visible = visible().unwrap_or_default();
    let gpu = match visible.split(',').nth(number as usize).map(str::trim).filter(|id| !id.is_empty()) {
        None => nvml.device_by_index(number),
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
        assert_eq!(of_libtorch(Device::Cpu).unwrap(), tch::Device::Cpu);
        let failure = of_libtorch(Device::Cuda(99)).unwrap_err().failure();
        assert_eq!(failure.reason, EndReason::MachineFault);
        assert!(failure.error.contains("`cuda:99`"), "{}", failure.error);
    }

    #[test]
    fn a_device_that_does_not_answer_is_a_fault_of_the_machine() {
        assert_eq!(answering(Device::Cpu, tch::Device::Cpu).unwrap(), tch::Device::Cpu);
        let failure = answering(Device::Cuda(99), tch::Device::Cuda(99)).unwrap_err().failure();
        assert_eq!(failure.reason, EndReason::MachineFault);
        assert!(failure.error.starts_with("`cuda:99` does not answer: "), "{}", failure.error);
        assert!(!failure.error.contains("frame #"), "{}", failure.error);
    }

    #[test]
    fn libtorch_has_a_version() {
        assert!(libtorch_version().starts_with("2."), "{}", libtorch_version());
    }
}
