//! The settings of a worker, within a server or alone.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use optlab_domain::{Device, UnknownDevice};

use super::database::DatabaseSettings;
use super::machine::MachineSettings;
use super::range::{seconds, within};
use crate::artifacts::BucketAccess;
use crate::store::{Claim, Origin};

const LEASE_SECONDS: RangeInclusive<u64> = 1..=Claim::LONGEST_LEASE_SECONDS;
const HUNG_AFTER_SECONDS: RangeInclusive<u64> = 1..=86_400;
const IDLE_SECONDS: RangeInclusive<u64> = 0..=u32::MAX as u64;

/// Settings of a worker without a server.
#[derive(Args, Clone, Debug)]
#[command(mut_arg("database_url", |arg| arg.default_value(None).required(true)))]
pub struct WorkerSettings {
    /// The database, which has no default here: that of a server elsewhere.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// Device of a `worker`: cpu, cuda:0, ..., or cuda for every GPU; repeat the flag, or separate by commas in the
    /// variable [default: every GPU, or the CPU without GPUs]
    #[arg(long = "device", env = "OPTLAB_DEVICES", value_name = "DEVICE", value_delimiter = ',')]
    pub devices: Vec<RequestedDevice>,
    /// Number of slots of a `worker` per device [default: one per GPU, or one per core on the CPU]
    #[arg(long, env = "OPTLAB_SLOTS_PER_DEVICE", value_name = "N", value_parser = within::<u16>(1..=1024))]
    pub slots_per_device: Option<u16>,
    /// Stop a `worker` after this time without a job [default: never]
    #[arg(long, value_name = "SECONDS", value_parser = seconds(IDLE_SECONDS))]
    pub exit_when_idle: Option<Duration>,
    /// The machine.
    #[command(flatten)]
    pub machine: MachineSettings,
    /// What every worker reads.
    #[command(flatten)]
    pub training: TrainingSettings,
    /// The connection to buckets.
    #[arg(skip = BucketAccess::from_env())]
    pub bucket: BucketAccess,
}

/// Settings of every worker, within a server or alone.
#[derive(Args, Clone, Debug)]
pub struct TrainingSettings {
    /// The runner.
    #[command(flatten)]
    pub runner: RunnerSettings,
    /// Silence of a worker after which its jobs are requeued
    #[arg(
        long = "lease-seconds",
        env = "OPTLAB_LEASE_SECONDS",
        value_name = "SECONDS",
        default_value = "15",
        value_parser = seconds(LEASE_SECONDS)
    )]
    pub lease: Duration,
    /// Minimum silence after which a runner is killed as hung
    #[arg(
        long = "hung-after-seconds",
        env = "OPTLAB_HUNG_AFTER_SECONDS",
        value_name = "SECONDS",
        default_value = "600",
        value_parser = seconds(HUNG_AFTER_SECONDS)
    )]
    pub hung_after: Duration,
    /// On SIGTERM, SIGINT or SIGHUP, or when drained: checkpoint running jobs and requeue them, or finish them
    #[arg(long, env = "OPTLAB_DRAIN", value_enum, default_value_t)]
    pub drain: Drain,
}

/// The program that trains.
#[derive(Args, Clone, Debug)]
pub struct RunnerSettings {
    /// Path of optlab-runner [default: beside optlab]
    #[arg(
        long = "runner",
        env = "OPTLAB_RUNNER",
        value_name = "PATH",
        default_value_os_t = beside_this_program(),
        hide_default_value = true
    )]
    pub program: PathBuf,
}

/// What happens to running jobs when their worker stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Drain {
    /// They write a checkpoint and are requeued.
    #[default]
    Checkpoint,
    /// They are finished first, however long that takes.
    Finish,
}

/// The configuration of one worker.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// What it offers.
    pub slots: Slots,
    /// Settings that workers within servers have too.
    pub training: TrainingSettings,
    /// The worker stops after it has been idle for this time.
    pub exit_when_idle: Option<Duration>,
    /// Where its machine comes from, and when it goes away.
    pub origin: Origin,
}

/// The devices and slots of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slots {
    /// This many in all, on the GPUs in turn or, without GPUs, on the CPU; `None` for one per GPU, or one per core
    /// without GPUs.
    Count(Option<usize>),
    /// This many on each GPU or, without GPUs, on the CPU; `None` for one per GPU, or one per core without GPUs.
    PerDevice(Option<usize>),
    /// Those of these devices.
    On {
        /// The devices.
        devices: Vec<RequestedDevice>,
        /// This many on each; `None` for one per GPU, and one per core on the CPU.
        each: Option<usize>,
    },
}

/// A device that a worker is told to offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestedDevice {
    /// This one.
    One(Device),
    /// Every GPU. Without a GPU, the worker offers nothing.
    EveryGpu,
}

impl FromStr for RequestedDevice {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        if text == "cuda" { Ok(Self::EveryGpu) } else { text.parse().map(Self::One) }
    }
}

impl WorkerSettings {
    /// The worker.
    pub fn worker(&self) -> WorkerConfig {
        let each = self.slots_per_device.map(usize::from);
        let slots = if self.devices.is_empty() {
            Slots::PerDevice(each)
        } else {
            Slots::On { devices: self.devices.clone(), each }
        };
        WorkerConfig {
            slots,
            training: self.training.clone(),
            exit_when_idle: self.exit_when_idle,
            origin: self.machine.origin(),
        }
    }
}

/// `optlab-runner` in the folder of this program.
fn beside_this_program() -> PathBuf {
    let beside =
        std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("optlab-runner")));
    beside.unwrap_or_else(|| PathBuf::from("optlab-runner"))
}
