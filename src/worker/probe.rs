//! Probes the runner for the devices and versions of this machine.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use optlab_domain::{Device, WantedDevice};
use optlab_spec::protocol::{DEVICE_ORDER, Probe};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::task::block_in_place;

use super::devices::Devices;
use super::text;
use crate::config::{RequestedDevice, Slots};
use crate::store::OfferedDevice;

/// Loading the CUDA libraries from a cold disk can take a while.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Interval between probes while no runner starts: setting libtorch up needs no restart.
pub(super) const PROBE_AGAIN: Duration = Duration::from_secs(5);

/// Why a worker or a slot that must offer certain devices claims nothing.
const NO_DEVICE: &str =
    "libtorch finds none of the devices that must be offered; `optlab doctor` lists those of this machine";

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

async fn look_for_runner(runner: &Path) -> Result<Probe, String> {
    let explained = |error| no_job(&format!("{error}; `optlab doctor` explains what to do"));
    probe(runner).await.map_err(explained)
}

/// Probes the runner for the devices of `slots`.
///
/// # Errors
/// The sentence that says why this machine runs no job of theirs.
pub(super) async fn look_for_devices(runner: &Path, slots: &Slots) -> Result<Probe, String> {
    let probe = look_for_runner(runner).await?;
    let wanted = slots.devices(&probe);
    one_is_here(&wanted, &probe)?;
    match too_many(&block_in_place(|| Devices::new(&probe, &wanted).now(|_| 0))) {
        None => Ok(probe),
        Some(why) => Err(no_job(&why)),
    }
}

/// Probes the runner for the device of a slot.
///
/// # Errors
/// The sentence that says why this slot runs no job.
pub(super) async fn look_for_device(runner: &Path, device: Device) -> Result<(), String> {
    one_is_here(&[device], &look_for_runner(runner).await?)
}

fn one_is_here(wanted: &[Device], probe: &Probe) -> Result<(), String> {
    if probe.devices.iter().any(|probed| wanted.contains(&probed.device)) {
        return Ok(());
    }
    Err(no_job(&probe.unusable_gpus.as_ref().map_or_else(|| NO_DEVICE.to_owned(), ToString::to_string)))
}

fn no_job(why: &str) -> String {
    format!("no job can run here: {why}")
}

/// Logs `trouble` unless it is what was `logged` last.
pub(super) fn warn_once(logged: &mut Option<String>, trouble: &str) {
    if logged.as_deref() != Some(trouble) {
        tracing::warn!("{trouble}");
        *logged = Some(trouble.to_owned());
    }
}

/// Memory of a GPU that any process with libtorch's kernels takes. Most take more, 1.1 GB on an H200 with a small network.
const LEAST_BYTES: u64 = 300_000_000;

/// Why the slots of a GPU cannot fit into its memory. Where they fit, a job may still be too large.
fn too_many(offered: &[OfferedDevice]) -> Option<String> {
    offered.iter().filter(|offered| WantedDevice::Cuda.admits_named(&offered.device)).find_map(|offered| {
        let OfferedDevice { device, slots, .. } = offered;
        let total = offered.memory?.total_bytes;
        let most = total / LEAST_BYTES;
        (*slots as u64 > most).then(|| {
            let total = total as f64 / 1e9;
            format!(
                "{slots} slots do not fit into the {total:.1} GB of {device}: each takes at least 0.3 GB. Start at most {most} \
                 there"
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
        let each_of = |devices: &[Device], each: Option<usize>| {
            let slots = |device| each.unwrap_or(if device == Device::Cpu { probe.threads } else { 1 });
            devices.iter().flat_map(|&device| std::iter::repeat_n(device, slots(device))).collect()
        };
        let gpus: Vec<Device> = probe.gpus().collect();
        let all = match &gpus[..] {
            [] if probe.unusable_gpus.is_some() => &[][..],
            [] => &[Device::Cpu],
            gpus => gpus,
        };
        match self {
            Self::Count(Some(count)) => all.iter().cycle().take(*count).copied().collect(),
            Self::Count(None) => each_of(all, None),
            Self::PerDevice(each) => each_of(all, *each),
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

    use optlab_spec::protocol::{ProbedDevice, UnusableGpus, Version};

    use super::*;
    use crate::store::Memory;

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
        let named = |each| Slots::On { devices: devices.clone(), each }.devices(&gpus);
        assert_eq!(named(Some(2)), [Cuda(1), Cuda(1), Cpu, Cpu]);
        assert_eq!(named(None), [Cuda(1), Cpu, Cpu, Cpu], "the same as without their names");
        let every = Slots::On { devices: vec![RequestedDevice::EveryGpu], each: None };
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
        let named = Slots::On { devices: vec![RequestedDevice::One(Device::Cpu)], each: Some(1) };
        assert_eq!(named.devices(&broken), [Device::Cpu]);
    }

    #[test]
    fn slots_that_do_not_fit_into_a_gpu_are_refused() {
        let offered = |device: &str, slots| OfferedDevice {
            device: device.to_owned(),
            name: None,
            slots,
            resting: 0,
            memory: Some(Memory { total_bytes: 8_000_000_000, used_bytes: 0 }),
        };
        assert_eq!(too_many(&[offered("cpu", 1000), offered("cuda:0", 26)]), None);
        let why = too_many(&[offered("cuda:0", 26), offered("cuda:1", 27)]).unwrap();
        assert!(why.starts_with("27 slots do not fit into the 8.0 GB of cuda:1"), "{why}");
        assert!(why.ends_with("at most 26 there"), "{why}");
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
    async fn a_slot_waits_for_its_own_device() {
        let folder = tempfile::tempdir().unwrap();
        let answer = serde_json::to_string(&probe(&[Device::Cpu, Device::Cuda(0)])).unwrap();
        let program = program(folder.path(), &format!("echo '{answer}'"));
        assert_eq!(look_for_device(&program, Device::Cuda(0)).await, Ok(()));
        let error = look_for_device(&program, Device::Cuda(1)).await.unwrap_err();
        assert!(error.starts_with("no job can run here: libtorch finds none"), "{error}");
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
