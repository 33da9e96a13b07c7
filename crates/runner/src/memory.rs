//! The peak memory of a job, from the system.

use std::fs;
use std::io;

use tch::Device;

/// Writing this to `clear_refs` resets the peak to the resident memory (proc_pid_clear_refs(5)).
const RESET_PEAK: &str = "5";

/// The peak of this process's resident memory since it was made.
pub struct PeakMemory(());

impl PeakMemory {
    /// Resets the peak, so that a job does not include that of the previous one; `None` if that is not possible, and on
    /// a GPU, whose memory is separate.
    pub fn begin(device: Device) -> Option<Self> {
        (device == Device::Cpu).then(reset)?.ok().map(Self)
    }

    /// So far, in bytes.
    pub fn bytes(&self) -> Option<u64> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    }
}

fn reset() -> io::Result<()> {
    fs::write("/proc/self/clear_refs", RESET_PEAK)
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
        assert!(PeakMemory::begin(Device::Cuda(0)).is_none());
    }
}
