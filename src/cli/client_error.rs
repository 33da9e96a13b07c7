//! Why a request of a client failed.

use super::Failure;

/// The reason why a request failed.
pub(super) enum ClientError {
    /// No server answered, or the answer cannot be from optlab.
    Unreachable(String),
    /// The server rejected the request, with this status and text.
    Refused(u16, String),
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            // 4xx is the caller's mistake, except for the state of the server.
            ClientError::Refused(400 | 413 | 422, text) => Self::Usage(text),
            other => Self::Other(other.into_anyhow()),
        }
    }
}

impl ClientError {
    pub(super) fn into_anyhow(self) -> anyhow::Error {
        match self {
            Self::Unreachable(text) | Self::Refused(_, text) => anyhow::anyhow!(text),
        }
    }
}
