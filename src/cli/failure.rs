//! How commands fail.

use optlab_net::NetError;
use optlab_spec::Problems;
use optlab_spec::submission::DocumentError;

use crate::config::ConfigError;

/// The reason why a command failed.
pub(super) enum Failure {
    /// The command or the spec is wrong: exit status 2.
    Usage(String),
    /// Something else went wrong: exit status 1.
    Other(anyhow::Error),
    /// The error has been reported already: exit status 1.
    Told,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        let is_usage = error.is::<Problems>() || error.is::<DocumentError>() || error.is::<ConfigError>();
        if is_usage || error.is::<NetError>() {
            return Self::Usage(error.to_string());
        }
        Self::Other(error)
    }
}
