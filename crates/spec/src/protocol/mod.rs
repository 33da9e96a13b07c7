//! The protocol between a slot and its runner: one JSON object per line over the runner's pipes.
//!
//! The slot writes [`Command`]s, the runner [`Event`]s; the end of either pipe ends the runner. Events of a job come in
//! the order of its steps: `started` first, `finished`, `paused` or `failed` last, and every point of a step before its
//! checkpoint and before the end.
//!
//! Both ends check that they have the same [`VERSION`]: the worker when it [probes](Probe) the runner, the runner when
//! it gets a job.

mod environment;
mod probe;
mod version;

use std::path::PathBuf;

use optlab_domain::{AttemptNumber, Device, EndReason, JobId, Request};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::job::JobSpec;

pub use environment::{DEVICE_ORDER, environment_of};
pub use probe::{BUILD, Probe, ProbedDevice, UnusableGpus};
pub use version::{VERSION, Version};

/// From the slot to the runner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// Train this job; sent only while no other one is running.
    Run(Box<Run>),
    /// Stop the running job after the current step. If there is a folder for it, a checkpoint is written first. A pause
    /// waits for the evaluation of that step. A cancellation interrupts it, so the step may lack points.
    Stop {
        /// The reason why the job stops.
        request: Request,
    },
}

/// One attempt at a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Version of the slot's protocol.
    pub protocol: Version,
    /// Id of the job.
    pub job: JobId,
    /// Number of the attempt.
    pub attempt: AttemptNumber,
    /// The device on which to train.
    pub device: Device,
    /// The job to train.
    pub spec: JobSpec,
    /// An existing folder for checkpoints and for the weights at the end of the run (docs/weights.md). Without a
    /// folder, neither are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_dir: Option<PathBuf>,
    /// A verified checkpoint of this job from which to resume. Without one, the job starts at its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_from: Option<PathBuf>,
    /// Completed updates after which the run stops, as if a pause was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_at: Option<u64>,
}

/// From the runner to the slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The training starts in this environment. A checkpoint that cannot be used ends the job before this event.
    Started {
        /// Completed updates: those of the checkpoint, or 0.
        step: u64,
        /// Stored with the attempt.
        environment: Environment,
        /// Updates of the whole run.
        steps: u64,
    },
    /// Points of curves since the last flush, and the progress of the run: one write to the store. A flush without
    /// points reports progress alone.
    Flush {
        /// The points in the order of their steps.
        points: Vec<Point>,
        /// Completed updates.
        step: u64,
    },
    /// The state after an update is on disk, and every point up to it was sent.
    Checkpoint {
        /// Completed updates.
        step: u64,
        /// Its name in `artifact_dir`.
        file: String,
        /// SHA-256 of its bytes, in hexadecimal.
        sha256: String,
        /// Its length in bytes.
        bytes: u64,
    },
    /// A sentence for the job's log.
    Log {
        /// The sentence.
        message: String,
    },
    /// The run is complete: every point was sent, and the weights are in the folder if one was given.
    Finished {
        /// Figures for the job's row.
        summary: Summary,
    },
    /// The run has stopped because a pause was requested, or at [`Run::stop_at`].
    Paused {
        /// Updates of the newest checkpoint, which this run wrote or started from. 0 if there is none, because no
        /// folder was given: the job then starts again at its beginning.
        step: u64,
    },
    /// No attempt can resume from the checkpoint in [`Run::resume_from`]; `failed` follows.
    UnusableCheckpoint,
    /// The run ended otherwise.
    Failed(Failure),
}

/// One point of a curve; its value is always finite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Name of the series, see [`optlab_domain::series`].
    pub series: String,
    /// Completed optimizer updates.
    pub step: u64,
    /// In the unit of the series.
    pub value: f64,
    /// Wall clock of the measurement, milliseconds since the epoch.
    pub time_ms: i64,
}

/// The environment of an attempt. Two curves can be bit-identical only in the same environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Environment {
    /// Version of optlab.
    pub optlab: String,
    /// Version of libtorch.
    pub libtorch: String,
    /// `cpu` or `cuda:0`, ...
    pub device: String,
    /// The processor's or the GPU's name.
    pub device_name: String,
    /// Threads of libtorch.
    pub threads: u64,
}

/// Figures of a complete run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Number of parameters that the optimizer updates.
    pub parameters_trained: u64,
    /// Wall time of the training, including evaluation, over all attempts. Updates that were repeated after an
    /// interruption count once.
    pub seconds: f64,
    /// Peak memory during the run (after a resume, since then). On a CPU it is the resident memory of the runner's
    /// process, including libtorch's code and leftovers of earlier jobs; on a GPU, what tensors and the workspaces of
    /// libraries took of its memory. Absent if it cannot be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
    /// The weights, if a folder was given for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Artifact>,
}

/// A file that a run has written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its name in `artifact_dir`.
    pub file: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// The failure of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The reason, which is always a failure.
    #[serde(deserialize_with = "reason_of_failure")]
    pub reason: EndReason,
    /// The series whose value was not finite, if that is the reason.
    pub series: Option<String>,
    /// Completed updates.
    pub step: Option<u64>,
    /// Whether only the data set of the job cannot be had on this machine, so that jobs with others can run.
    #[serde(default)]
    pub of_data: bool,
    /// A sentence for the researcher.
    pub error: String,
}

impl Failure {
    /// A failure with nothing more to say of it.
    pub fn of(reason: EndReason, error: impl Into<String>) -> Self {
        Self { reason, series: None, step: None, of_data: false, error: error.into() }
    }

    /// Whether the runner ends after it has reported this. After a crash, its process may be damaged; after a lack of memory,
    /// libtorch would keep what it had allocated, and the next job, here or in another process, needs it.
    pub fn ends_runner(&self) -> bool {
        matches!(self.reason, EndReason::RunnerCrashed | EndReason::OutOfMemory)
    }
}

fn reason_of_failure<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EndReason, D::Error> {
    let reason = EndReason::deserialize(deserializer)?;
    match reason.is_failure() {
        true => Ok(reason),
        false => Err(D::Error::custom(format!("a run does not fail for the reason `{reason}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runner_cannot_fail_with_success() {
        for (reason, is_accepted) in [("diverged", true), ("completed", false), ("handed_back", false)] {
            let line =
                format!(r#"{{"type":"failed","reason":"{reason}","series":null,"step":1,"error":""}}"#);
            assert_eq!(serde_json::from_str::<Event>(&line).is_ok(), is_accepted, "{reason}");
        }
    }

    #[test]
    fn floats_are_transferred_bit_for_bit() {
        for value in [0.1, 1.0 / 3.0, f64::MIN_POSITIVE, f64::MAX, 5e-324, -0.0, 97.229_999_999_999_99] {
            let point = Point { series: "x".to_owned(), step: 1, value, time_ms: 2 };
            let line = serde_json::to_string(&Event::Flush { points: vec![point], step: 1 }).unwrap();
            let Event::Flush { points, .. } = serde_json::from_str(&line).unwrap() else { panic!("{line}") };
            assert_eq!(points[0].value.to_bits(), value.to_bits(), "{line}");
        }
    }
}
