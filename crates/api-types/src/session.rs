//! Sessions of browsers.

use optlab_domain::Scope;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The scope of the client.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// The scope of its token; `write` if the server needs no tokens.
    pub scope: Scope,
    /// Whether it has sent a token.
    pub signed_in: bool,
}

/// A token for a session.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The token.
    pub token: String,
    /// Path of the page on the host; default: the server's base path.
    #[schema(nullable = false, pattern = "^[A-Za-z0-9._~%@+=:,/-]*$")]
    pub path: Option<String>,
}
