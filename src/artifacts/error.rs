//! Why bytes could not be stored or had.

use std::path::{Path, PathBuf};

/// What went wrong with a file of a job.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// There is no storing here at all.
    #[error("the artifact root cannot be used: {0}")]
    Root(String),
    /// The storage said so.
    #[error("artifact {path}: {source}")]
    Stored {
        /// Below the root.
        path: String,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file of this machine.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is missing.
    #[error("artifact {0} is missing from the artifact root")]
    Missing(String),
    /// The bytes are not those that were stored.
    #[error("artifact {0} is not what was stored: its length or its SHA-256 differs")]
    Altered(String),
}

impl ArtifactError {
    /// Whether the stored bytes are lost for good, so that a retry cannot help.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Missing(_) | Self::Altered(_))
    }

    pub(super) fn stored(path: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Stored { path: path.to_owned(), source: error.into() }
    }

    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}
