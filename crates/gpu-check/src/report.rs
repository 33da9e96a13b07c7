//! The report: what every part has found so far.

use optlab_domain::Device;
use serde::Serialize;

use crate::part::Part;
use crate::record::Row;

/// The results of all parts that have ended.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Version of optlab.
    pub optlab: String,
    /// Commit that the archive was made from.
    pub commit: String,
    /// The device.
    pub device: Device,
    /// Product name of the device.
    pub device_name: String,
    /// Whether sizes are those of a quick trial, from which nothing follows about the cost of training.
    pub tiny: bool,
    /// In the order in which they ran.
    pub parts: Vec<PartReport>,
}

/// The results of one part.
#[derive(Clone, Debug, Serialize)]
pub struct PartReport {
    /// Which part it is.
    pub name: Part,
    /// How it ended.
    pub verdict: Verdict,
    /// Wall time of its process.
    pub seconds: f64,
    /// Why it has not passed: the end of its log.
    pub error: Option<String>,
    /// What it has found.
    pub rows: Vec<Row>,
}

/// How a part ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every row is as it should be.
    Passed,
    /// A row is not as it should be, or the process reported an error.
    Failed,
    /// A signal ended the process.
    Crashed,
    /// The process did not end in time and was killed.
    TimedOut,
    /// No time was left for it.
    Skipped,
}

impl Verdict {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Crashed => "CRASHED",
            Self::TimedOut => "TIMED OUT",
            Self::Skipped => "skipped",
        }
    }
}

impl Report {
    /// Whether every part passed.
    pub fn passed(&self) -> bool {
        self.parts.iter().all(|part| part.verdict == Verdict::Passed)
    }
}
