//! Probes the runner for the devices and versions of this machine.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use optlab_domain::{Device, DeviceKind};
use optlab_spec::protocol::{DEVICE_ORDER, Probe, ProbedDevice};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::devices::memory;
use super::text;
use crate::config::{RequestedDevice, Slots};
use crate::store::Memory;

/// Loading the CUDA libraries from a cold disk can take a while.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Interval between probes while no runner starts: setting libtorch up needs no restart.
pub(super) const PROBE_AGAIN: Duration = Duration::from_secs(5);

/// Why a worker that must offer GPUs claims nothing.
const NO_GPU: &str =
    "libtorch finds no GPU here, and the worker must offer GPUs only; `optlab doctor` lists its devices";

/// The most that a runner may print about itself, in bytes.
const LONGEST_ANSWER: u64 = 1_000_000;

/// The reason why no runner works here.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The program does not exist.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// The program does not start or does not answer; with its own message.
    #[error("optlab-runner cannot work: {0}")]
    Broken(String),
}

/// Runs the probe.
///
/// # Errors
/// If the program is missing, does not start (for example without libtorch) or does not answer.
pub async fn probe(runner: &Path) -> Result<Probe, ProbeError> {
    if !runner.exists() {
        return Err(ProbeError::Missing(runner.to_owned()));
    }
    let answer = tokio::time::timeout(TIMEOUT, ask(runner));
    let answer = answer.await.map_err(|_| broken(format!("no answer within {} s", TIMEOUT.as_secs())))?;
    let (status, answer, said) = answer.map_err(broken)?;
    if !status.success() {
        let said = text::clean(String::from_utf8_lossy(&said).trim()).into_owned();
        return Err(ProbeError::Broken(if said.is_empty() { status.to_string() } else { said }));
    }
    text::read(&String::from_utf8_lossy(&answer))
        .map_err(|error| broken(format!("unreadable answer: {error}")))
}

/// Probes the runner on behalf of a worker. `logged` is what the last one answered, so that each answer is logged once.
///
/// # Errors
/// The sentence that says why this machine runs no job: no runner starts, or none of its devices is for `slots`.
pub(super) async fn look_for_devices(
    runner: &Path,
    slots: &Slots,
    logged: &mut Option<String>,
) -> Result<Probe, String> {
    let why = match probe(runner).await {
        Ok(probe) if !slots.devices(&probe).is_empty() => {
            match too_many(&slots.devices(&probe), &probe, memory) {
                None => return Ok(probe),
                Some(why) => why,
            }
        }
        Ok(Probe { unusable_gpus: Some(unusable), .. }) => unusable.to_string(),
        Ok(_) => NO_GPU.to_owned(),
        Err(error) => format!("{error}; `optlab doctor` explains what to do"),
    };
    let trouble = format!("no job can run here: {why}");
    if logged.as_ref() != Some(&trouble) {
        tracing::warn!("{trouble}");
        *logged = Some(trouble.clone());
    }
    Err(trouble)
}

/// Memory of a GPU that a process takes before it has a network: twelve on an H200 took 13.6 GB.
const LEAST_BYTES: u64 = 1_100_000_000;

/// Why the slots do not fit into the memory of a GPU. Jobs of slots that fit may still be too large.
fn too_many(
    slots: &[Device],
    probe: &Probe,
    memory: impl Fn(&ProbedDevice) -> Option<Memory>,
) -> Option<String> {
    probe.devices.iter().filter(|probed| probed.device.kind() == DeviceKind::Cuda).find_map(|probed| {
        let count = slots.iter().filter(|device| **device == probed.device).count() as u64;
        let most = memory(probed)?.total_bytes / LEAST_BYTES;
        (count > most).then(|| {
            format!(
                "{count} slots do not fit into the memory of {}, {}: without a network, each takes 1.1 GB. Start at most \
                 {most} there",
                probed.device, probed.name
            )
        })
    })
}

fn broken(reason: impl ToString) -> ProbeError {
    ProbeError::Broken(reason.to_string())
}

/// The exit status of a probed runner, its answer and its error output.
async fn ask(runner: &Path) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let mut program = Command::new(runner);
    program.envs([DEVICE_ORDER]).arg("--probe").stdin(Stdio::null()).kill_on_drop(true);
    let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let answer = child.stdout.take().expect("stdout is piped");
    let said = child.stderr.take().expect("stderr is piped");
    let (answer, said) = tokio::try_join!(bounded(answer), bounded(said))?;
    Ok((child.wait().await?, answer, said))
}

/// Reads to the end.
async fn bounded(output: impl AsyncRead + Unpin) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    output.take(LONGEST_ANSWER + 1).read_to_end(&mut read).await?;
    match read.len() as u64 > LONGEST_ANSWER {
        true => Err(io::Error::other(format!("it printed more than {LONGEST_ANSWER} bytes"))),
        false => Ok(read),
    }
}

impl Slots {
    /// The device of each slot, on a machine that answers a probe like this. On a machine with GPUs that cannot be used,
    /// only the devices that are named have slots, so that no job trains on the CPU unnoticed.
    pub(super) fn devices(&self, probe: &Probe) -> Vec<Device> {
        let each_of = |devices: &[Device], each: usize| {
            devices.iter().flat_map(|&device| std::iter::repeat_n(device, each)).collect()
        };
        let gpus: Vec<Device> = probe.gpus().collect();
        let (all, most_each) = match &gpus[..] {
            [] if probe.unusable_gpus.is_some() => (&[][..], 0),
            [] => (&[Device::Cpu][..], probe.threads),
            gpus => (gpus, 1),
        };
        match self {
            Self::Count(Some(count)) => all.iter().cycle().take(*count).copied().collect(),
            Self::Count(None) | Self::PerDevice(None) => each_of(all, most_each),
            Self::PerDevice(Some(each)) => each_of(all, *each),
            Self::On { devices, each } => {
                let devices = devices.iter().flat_map(|requested| match requested {
                    RequestedDevice::One(device) => std::slice::from_ref(device),
                    RequestedDevice::EveryGpu => &gpus,
                });
                each_of(&devices.copied().collect::<Vec<_>>(), *each)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use optlab_spec::protocol::{UnusableGpus, Version};

    use super::*;

    fn probe(devices: &[Device]) -> Probe {
        let device = |&device: &Device| ProbedDevice { device, name: String::new(), uuid: None };
        Probe {
            protocol: Version,
            libtorch: String::new(),
            devices: devices.iter().map(device).collect(),
            threads: 3,
            unusable_gpus: None,
        }
    }

    #[test]
    fn slots_are_distributed_over_gpus_before_the_cpu() {
        use Device::{Cpu, Cuda};
        let (cpu, gpus) = (probe(&[Cpu]), probe(&[Cpu, Cuda(0), Cuda(1)]));
        assert_eq!(Slots::Count(None).devices(&gpus), [Cuda(0), Cuda(1)]);
        assert_eq!(Slots::Count(Some(3)).devices(&gpus), [Cuda(0), Cuda(1), Cuda(0)]);
        assert_eq!(Slots::Count(Some(2)).devices(&cpu), [Cpu, Cpu]);
        assert_eq!(Slots::Count(None).devices(&cpu), [Cpu; 3], "one per thread");
        assert_eq!(Slots::PerDevice(Some(2)).devices(&gpus), [Cuda(0), Cuda(0), Cuda(1), Cuda(1)]);
        let devices = vec![RequestedDevice::One(Cuda(1)), RequestedDevice::One(Cpu)];
        let named = Slots::On { devices, each: 2 };
        assert_eq!(named.devices(&gpus), [Cuda(1), Cuda(1), Cpu, Cpu]);
        let every = Slots::On { devices: vec![RequestedDevice::EveryGpu], each: 1 };
        assert_eq!(every.devices(&gpus), [Cuda(0), Cuda(1)]);
        assert_eq!(every.devices(&cpu), [], "no GPU, no slot");
    }

    #[test]
    fn gpus_that_cannot_be_used_are_not_replaced_by_the_cpu() {
        let unusable = UnusableGpus { why: "the driver is too old".to_owned(), cure: "update it".to_owned() };
        let broken = Probe { unusable_gpus: Some(unusable), ..probe(&[Device::Cpu]) };
        for slots in
            [Slots::Count(None), Slots::Count(Some(2)), Slots::PerDevice(None), Slots::PerDevice(Some(2))]
        {
            assert_eq!(slots.devices(&broken), [], "{slots:?}");
        }
        let named = Slots::On { devices: vec![RequestedDevice::One(Device::Cpu)], each: 1 };
        assert_eq!(named.devices(&broken), [Device::Cpu]);
    }

    #[test]
    fn slots_that_do_not_fit_into_a_gpu_are_refused() {
        let probe = probe(&[Device::Cpu, Device::Cuda(0), Device::Cuda(1)]);
        let memory = |probed: &ProbedDevice| {
            let gigabytes = if probed.device == Device::Cuda(1) { 8 } else { 140 };
            Some(Memory { total_bytes: gigabytes * 1_000_000_000, used_bytes: 0 })
        };
        let why = |each: usize| {
            let slots = Slots::PerDevice(Some(each)).devices(&probe);
            too_many(&slots, &probe, memory)
        };
        assert_eq!(why(7), None);
        let why = why(8).unwrap();
        assert!(why.contains("8 slots do not fit") && why.contains("cuda:1"), "{why}");
        assert!(why.ends_with("at most 7 there"), "{why}");
        let on_cpu = Slots::On { devices: vec![RequestedDevice::One(Device::Cpu)], each: 1000 };
        assert_eq!(too_many(&on_cpu.devices(&probe), &probe, memory), None);
    }

    #[tokio::test]
    async fn a_wrong_program_is_distinguished_from_a_missing_one() {
        assert!(matches!(super::probe(Path::new("/nonexistent/runner")).await, Err(ProbeError::Missing(_))));
        assert!(matches!(super::probe(Path::new("/bin/false")).await, Err(ProbeError::Broken(_))));
    }

    fn program(folder: &Path, script: &str) -> PathBuf {
        let program = folder.join("runner");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        program
    }

    #[tokio::test]
    async fn a_runner_of_another_version_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let answer = r#"{"protocol":70,"libtorch":"9","accelerators":[]}"#;
        let program = program(folder.path(), &format!("echo '{answer}'"));
        let error = super::probe(&program).await.unwrap_err().to_string();
        assert!(error.contains("version 70") && error.contains("from the same build"), "{error}");
    }

    #[tokio::test]
    async fn an_endless_answer_is_read_up_to_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        for output in ["", ">&2"] {
            let program = program(folder.path(), &format!("exec head -c 100000000 /dev/zero {output}"));
            let error = super::probe(&program).await.unwrap_err().to_string();
            assert!(error.contains("more than 1000000 bytes"), "{error}");
        }
    }
}
