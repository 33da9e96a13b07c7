//! Files of jobs.

use optlab_domain::{ArtifactKind, AttemptNumber};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A file of a job.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Artifact {
    /// The name for `/artifacts/{name}`.
    pub name: String,
    /// The kind of its content.
    pub kind: ArtifactKind,
    /// Number of the attempt that wrote it.
    #[schema(value_type = i64)]
    pub attempt: AttemptNumber,
    /// Completed updates when it was written.
    pub step: i64,
    /// Its length.
    pub bytes: i64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}
