//! Names of the files in the folder of a run.

/// The spec of the job.
pub(super) const SPEC: &str = "spec.json";

/// Where the run came from, and its attempts.
pub(super) const RUN: &str = "run.json";

/// Points of curves, in the order of their steps.
pub(super) const POINTS: &str = "metrics.csv";

/// Checkpoints to resume from, until the run has ended.
pub(super) const RESUME: &str = "resume.json";

/// Figures of a complete run.
pub(super) const SUMMARY: &str = "summary.json";
