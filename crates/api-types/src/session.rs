//! Sessions of browsers.

use optlab_domain::Scope;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the client may do.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// What its token allows; without tokens, everybody may write.
    pub scope: Scope,
    /// Whether it has sent a token.
    pub signed_in: bool,
}

/// A token for a session.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignIn {
    /// The token.
    pub token: String,
    /// Folder of the host that the page is in; default: the server's base path.
    #[schema(nullable = false, pattern = "^[A-Za-z0-9._~%@+=:,/-]*$")]
    pub path: Option<String>,
}
