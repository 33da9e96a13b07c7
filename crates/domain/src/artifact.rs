//! The files of a job.

use crate::word::words;

words! {
    /// The kind of a job's file.
    pub enum ArtifactKind {
        /// The state from which the next attempt resumes.
        Checkpoint,
        /// The trained weights.
        Weights,
        /// The output of the runner.
        Log,
        /// The spec of the run.
        Spec,
        /// The environment of the run.
        Environment,
    }
}
