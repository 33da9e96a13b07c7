//! What a part is given.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use optlab_runner::clock;
use tch::Device;

use crate::programs::Programs;
use crate::record::Records;

/// Device, sizes, time and files of a part.
#[derive(Debug)]
pub struct Setting {
    /// The device to check.
    pub device: Device,
    /// The same device in the type of the runner protocol.
    pub runner_device: optlab_domain::Device,
    /// Whether sizes are to be as small as possible.
    pub tiny: bool,
    /// When nothing more should begin.
    pub until: Instant,
    /// An empty folder for files of this part.
    pub folder: PathBuf,
    /// A folder for files of this part that a later run goes on with. It may not exist.
    pub kept: PathBuf,
    /// The other programs.
    pub programs: Programs,
    /// A Python with torch.
    pub python: Option<PathBuf>,
    /// Where results go.
    pub records: Records,
}

impl Setting {
    /// Whether nothing more should begin.
    pub fn is_over(&self) -> bool {
        clock::instant() >= self.until
    }

    /// Time until [`is_over`](Self::is_over).
    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(clock::instant())
    }

    /// Whether the device is a GPU.
    pub fn on_gpu(&self) -> bool {
        self.device != Device::Cpu
    }
}
