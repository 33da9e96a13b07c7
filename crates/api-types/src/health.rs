//! Health checks.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A sign of life.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: String,
    /// Version of the server.
    pub version: String,
}
