//! Defects of files.

use crate::exchange::ExchangeError;

/// The reason why a file cannot be imported. Some functions leave the subject of the sentence to their caller,
/// which knows the job.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ImportError(pub(super) String);

impl From<String> for ImportError {
    fn from(reason: String) -> Self {
        Self(reason)
    }
}

impl From<&str> for ImportError {
    fn from(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

impl From<ImportError> for ExchangeError {
    fn from(ImportError(reason): ImportError) -> Self {
        Self::refused(reason)
    }
}
