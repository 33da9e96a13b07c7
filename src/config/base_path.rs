//! The path prefix under which a proxy serves optlab.

use std::fmt;
use std::str::FromStr;

/// A prefix such as `/optlab`; empty if the server has the whole host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

/// A text is not the path of a folder.
#[derive(Debug, thiserror::Error)]
#[error("must be a folder like /optlab or /lab/optlab, is `{0}`")]
pub struct BasePathError(String);

impl FromStr for BasePath {
    type Err = BasePathError;

    fn from_str(text: &str) -> Result<Self, BasePathError> {
        let path = text.trim_matches('/');
        let is_plain = |segment: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~%@+=:,".contains(c);
            !segment.is_empty() && segment.chars().all(allowed) && ![".", ".."].contains(&segment)
        };
        match path {
            "" => Ok(Self::default()),
            path if path.split('/').all(is_plain) => Ok(Self(format!("/{path}"))),
            _ => Err(BasePathError(text.to_owned())),
        }
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl BasePath {
    /// The prefix, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the prefix is empty.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}
