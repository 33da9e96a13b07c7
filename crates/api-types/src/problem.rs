//! Errors.

use optlab_spec::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An error, as `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProblemDetails {
    /// Stable identifier of the kind of error.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The mistake and the valid values, or the reason and the remedy.
    pub detail: String,
    /// The mistakes of a spec, each with its path. If there are more than 50, the last entry says how many are not
    /// listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Problem>,
}
