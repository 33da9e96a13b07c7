//! Errors of artifact storage.

use std::path::{Path, PathBuf};

/// An error of artifact storage.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The artifact root cannot be used.
    #[error("the artifact root cannot be used: {0}")]
    Root(String),
    /// The storage reported an error.
    #[error("artifact {path}: {source}")]
    Stored {
        /// Path below the root.
        path: String,
        /// The error of the storage.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A local file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The file is missing.
    #[error("artifact {0} is missing from the artifact root")]
    Missing(String),
    /// The bytes are not those that were stored.
    #[error("artifact {0} is not what was stored: its length or SHA-256 differs")]
    Altered(String),
}

impl ArtifactError {
    /// Whether the stored bytes are lost for good, so that a retry cannot help.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Missing(_) | Self::Altered(_))
    }

    pub(crate) fn stored(path: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Stored { path: path.to_owned(), source: error.into() }
    }

    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}
