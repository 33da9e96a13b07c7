//! Defects of files.

use crate::exchange::ExchangeError;

/// The reason why a file cannot be imported. Some functions leave the subject of the sentence to their caller,
/// which knows the job.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Flaw(pub(super) String);

impl From<String> for Flaw {
    fn from(flaw: String) -> Self {
        Self(flaw)
    }
}

impl From<&str> for Flaw {
    fn from(flaw: &str) -> Self {
        Self(flaw.to_owned())
    }
}

impl From<Flaw> for ExchangeError {
    fn from(Flaw(flaw): Flaw) -> Self {
        Self::refused(flaw)
    }
}
