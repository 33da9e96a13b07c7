//! The devices that a worker offers, and their memory.

use std::fs;

use nvml_wrapper::Nvml;
use optlab_domain::Device;
use optlab_spec::protocol::{Probe, ProbedDevice};

use crate::store::{Memory, OfferedDevice};

/// The devices and slots of a worker.
pub(super) struct Devices {
    offered: Vec<Offered>,
    /// `None` without NVIDIA's driver.
    nvml: Option<Nvml>,
}

struct Offered {
    device: Device,
    slots: usize,
    /// `None` if the runner has not reported it.
    probed: Option<ProbedDevice>,
}

impl Devices {
    /// The devices of `slots`, each of which names its device.
    pub(super) fn new(probe: &Probe, slots: &[Device]) -> Self {
        let mut offered: Vec<Offered> = Vec::new();
        for &device in slots {
            match offered.iter_mut().find(|known| known.device == device) {
                Some(known) => known.slots += 1,
                None => {
                    let probed = probe.devices.iter().find(|probed| probed.device == device).cloned();
                    offered.push(Offered { device, slots: 1, probed });
                }
            }
        }
        Self { offered, nvml: Nvml::init().ok() }
    }

    /// The present state of the devices; `resting` counts the resting slots of a device. Queries of the driver may be
    /// slow.
    pub(super) fn now(&self, resting: impl Fn(Device) -> usize) -> Vec<OfferedDevice> {
        let now = |offered: &Offered| OfferedDevice {
            device: offered.device.to_string(),
            name: offered.probed.as_ref().map(|probed| probed.name.clone()),
            slots: offered.slots,
            resting: resting(offered.device),
            memory: offered.probed.as_ref().and_then(|probed| memory(probed, self.nvml.as_ref())),
        };
        self.offered.iter().map(now).collect()
    }
}

/// The memory of each device that was probed, of the machine for the CPU.
pub fn memories(probe: &Probe) -> Vec<Option<Memory>> {
    let nvml = Nvml::init().ok();
    probe.devices.iter().map(|probed| memory(probed, nvml.as_ref())).collect()
}

fn memory(probed: &ProbedDevice, nvml: Option<&Nvml>) -> Option<Memory> {
    if probed.device == Device::Cpu {
        return of_machine(&fs::read_to_string("/proc/meminfo").ok()?);
    }
    let memory = nvml?.device_by_uuid(probed.uuid.as_deref()?).ok()?.memory_info().ok()?;
    Some(Memory { total_bytes: memory.total, used_bytes: memory.used })
}

/// Memory that the kernel can reclaim counts as free.
fn of_machine(meminfo: &str) -> Option<Memory> {
    let bytes = |name: &str| -> Option<u64> {
        let value = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(value.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    };
    let total_bytes = bytes("MemTotal")?;
    Some(Memory { total_bytes, used_bytes: total_bytes.checked_sub(bytes("MemAvailable")?)? })
}

#[cfg(test)]
mod tests {
    use optlab_spec::protocol::Version;

    use super::*;

    #[test]
    fn each_device_is_listed_once_with_slots_and_memory() {
        let cpu = ProbedDevice { device: Device::Cpu, name: "a processor".to_owned(), uuid: None };
        let probe = Probe {
            protocol: Version,
            libtorch: String::new(),
            devices: vec![cpu],
            threads: 1,
            unusable_gpus: None,
        };
        let slots = [Device::Cuda(7), Device::Cpu, Device::Cuda(7)];
        let devices = Devices::new(&probe, &slots).now(|device| usize::from(device == Device::Cpu));
        let unknown =
            OfferedDevice { device: "cuda:7".to_owned(), name: None, slots: 2, resting: 0, memory: None };
        assert_eq!(devices[0], unknown);
        let cpu = &devices[1];
        assert_eq!((cpu.slots, cpu.resting, cpu.name.as_deref()), (1, 1, Some("a processor")));
        assert_eq!(devices.len(), 2);
        let Memory { total_bytes, used_bytes } = devices[1].memory.unwrap();
        assert!(0 < used_bytes && used_bytes < total_bytes, "{used_bytes} of {total_bytes}");
    }

    #[test]
    fn reclaimable_memory_counts_as_free() {
        let meminfo = "MemTotal:       1000 kB\nMemFree:          50 kB\nMemAvailable:    400 kB\n";
        let memory = Memory { total_bytes: 1000 * 1024, used_bytes: 600 * 1024 };
        assert_eq!(of_machine(meminfo), Some(memory));
        assert_eq!(of_machine("MemTotal: 1000 kB\n"), None);
    }
}
