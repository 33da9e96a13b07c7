//! The files of a job.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// What a file of a job holds.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
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
