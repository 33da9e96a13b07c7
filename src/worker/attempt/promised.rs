//! Files that a run must leave.

use optlab_domain::ArtifactKind;

/// A file that a complete success requires.
#[derive(Clone, Debug)]
pub(super) struct Promised {
    pub(super) file: String,
    pub(super) kind: ArtifactKind,
    pub(super) step: u64,
    /// Content that the worker writes into the file first; `None` for the log and for files of the runner.
    pub(super) content: Option<Vec<u8>>,
    /// SHA-256 that the runner reported.
    pub(super) sha256: Option<String>,
}
