//! The parts, in the order of their value.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

/// The folder of files that the parts need only while they run, below that of the results.
pub const WORK: &str = "work";

/// A part of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What the device and the programs are, and whether libtorch works on it.
    Environment,
    /// Rotations, energies and penalties against float64 on the CPU.
    Transforms,
    /// What a training step costs.
    Cost,
    /// What a training step asks of the driver.
    Launches,
    /// Operations that are repeated, equal runs, and runs that were killed and resumed.
    Resume,
    /// Training steps against the CPU.
    Training,
    /// A job that does not fit, and the next one.
    Memory,
    /// The service, with a runner that is killed.
    Service,
    /// What one layer costs by the length of its neurons, and the linear algebra that it could use.
    Growth,
    /// Jobs that train side by side, for what is left of the time.
    Experiment,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 10] = [
        Self::Environment,
        Self::Transforms,
        Self::Cost,
        Self::Launches,
        Self::Resume,
        Self::Training,
        Self::Memory,
        Self::Service,
        Self::Growth,
        Self::Experiment,
    ];

    /// Its name on the command line.
    pub fn word(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The head of its section in the report.
    pub fn title(self) -> &'static str {
        match self {
            Self::Environment => "Environment",
            Self::Cost => "Cost of a training step",
            Self::Transforms => "Rotations, energies and penalties against the CPU in float64",
            Self::Training => "Training steps against the CPU",
            Self::Resume => "Determinism and resume",
            Self::Memory => "Out of memory",
            Self::Service => "A job of the service whose runner is killed",
            Self::Launches => "Launches and waits of a training step",
            Self::Growth => "Cost of one layer by the length of its neurons",
            Self::Experiment => "An experiment whose jobs train side by side",
        }
    }

    /// Its share of the time, relative to the others.
    pub fn weight(self, tiny: bool) -> u32 {
        match self {
            Self::Environment => 2,
            Self::Cost | Self::Training => 5,
            Self::Transforms => 4,
            Self::Resume | Self::Memory | Self::Service => 3,
            Self::Launches | Self::Growth => 2,
            Self::Experiment if tiny => 3,
            // Half as much as all others together. They seldom use all of their time, and this part uses any.
            Self::Experiment => 15,
        }
    }

    /// The folder of files that its process needs, below that of the results.
    pub fn work_folder(self, output: &Path) -> PathBuf {
        output.join(WORK).join(self.word())
    }

    /// The folder of files that a later run goes on with, below that of the results.
    pub fn kept_folder(self, output: &Path) -> PathBuf {
        output.join(self.word())
    }
}
