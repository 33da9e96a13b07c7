//! The peak memory of a job: on a CPU from the system, on a GPU from libtorch's allocator.

use std::fs;
use std::io;

use tch::{Device, TchError};

use crate::libtorch::shim::{self, Peak};

/// Writing this to `clear_refs` resets the peak to the resident memory (proc_pid_clear_refs(5)).
const RESET_PEAK: &str = "5";

/// The peak of a memory since this was made.
pub enum PeakMemory {
    /// Of this process's resident memory.
    Resident,
    /// Of what tensors and the workspaces of libraries take of the GPU with this number: what the job needs. What libtorch
    /// reserves depends on the order and sizes of earlier tensors too, so it is only logged.
    Cuda(usize),
}

impl PeakMemory {
    /// Resets the peak, so that a job does not include that of the previous one; `None` if that is not possible.
    pub fn begin(device: Device) -> Option<Self> {
        let begun = match device {
            Device::Cpu => reset_resident().map(|()| Self::Resident),
            Device::Cuda(number) => reset_cuda(number).map(|()| Self::Cuda(number)).map_err(io::Error::other),
            _ => return None,
        };
        begun.inspect_err(|error| tracing::warn!(%error, "the peak memory cannot be measured")).ok()
    }

    /// So far, in bytes.
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Self::Resident => resident(),
            Self::Cuda(number) => {
                let peak = shim::cuda_peak(*number);
                let peak = peak.inspect_err(|error| tracing::warn!(%error, "the peak memory cannot be read"));
                let Peak { allocated, reserved } = peak.ok()?;
                tracing::info!(allocated, reserved, "peak bytes of the GPU");
                // Without its cache (PYTORCH_NO_CUDA_MEMORY_CACHING) the allocator counts nothing.
                (allocated > 0).then_some(allocated)
            }
        }
    }
}

fn reset_resident() -> io::Result<()> {
    fs::write("/proc/self/clear_refs", RESET_PEAK)
}

/// Memory that libtorch keeps from earlier jobs is given back first, so that it does not count as reserved by this one.
fn reset_cuda(number: usize) -> Result<(), TchError> {
    shim::release_cuda_cache()?;
    shim::reset_cuda_peak(number)
}

fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that are in use, each page written to.
    fn fill(mebibytes: usize) -> Vec<u8> {
        std::hint::black_box(vec![1; mebibytes << 20])
    }

    #[test]
    fn a_peak_is_measured_for_its_job_only() {
        let first = PeakMemory::begin(Device::Cpu).expect("this system reports peaks");
        let before = first.bytes().unwrap();
        drop(fill(256));
        let at_most = first.bytes().unwrap();
        assert!(at_most > before + (200 << 20), "{before} {at_most}");
        let second = PeakMemory::begin(Device::Cpu).unwrap().bytes().unwrap();
        assert!(second < at_most - (100 << 20), "{second} {at_most}");
    }

    #[test]
    fn without_a_gpu_there_is_no_peak_of_it() {
        assert_eq!(PeakMemory::begin(Device::Cuda(0)).is_some(), tch::Cuda::is_available());
    }
}
