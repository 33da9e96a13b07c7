//! Where a submission came from.

use serde::{Deserialize, Serialize};

/// Maximum length of a command line, in bytes. It is sent in a header, and proxies reject headers of more than 8 kB.
pub const LONGEST_COMMAND_LINE: usize = 2000;

/// Where a submission came from, as far as the client told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "sqlx", derive(sqlx_macros::FromRow))]
pub struct Provenance {
    /// Hash of the git commit of the client's working folder.
    #[serde(default)]
    pub commit_hash: Option<String>,
    /// Whether tracked files of that folder had changes that were not committed.
    #[serde(default)]
    pub commit_dirty: Option<bool>,
    /// The command, without secrets.
    #[serde(default)]
    pub command_line: Option<String>,
}

impl Provenance {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The mistake in it, if there is one, as the end of a sentence.
    pub fn mistake(&self) -> Option<String> {
        let is_hash = |hash: &String| {
            [40, 64].contains(&hash.len())
                && hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        if !self.commit_hash.as_ref().is_none_or(is_hash) {
            return Some(
                "has a `commit_hash` that is not 40 or 64 hexadecimal digits in lower case".to_owned(),
            );
        }
        if self.commit_dirty.is_some() && self.commit_hash.is_none() {
            return Some("has `commit_dirty` without a `commit_hash`".to_owned());
        }
        let is_long = self.command_line.as_ref().is_some_and(|line| line.len() > LONGEST_COMMAND_LINE);
        is_long.then(|| format!("has a `command_line` of more than {LONGEST_COMMAND_LINE} bytes"))
    }

    /// The commit in words, if it is known.
    pub fn commit(&self) -> Option<String> {
        let changes = if self.commit_dirty == Some(true) { " with uncommitted changes" } else { "" };
        self.commit_hash.as_ref().map(|hash| format!("{hash}{changes}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_hashes_and_short_commands_are_accepted() {
        let of = |hash: &str| Provenance { commit_hash: Some(hash.to_owned()), ..Provenance::default() };
        for hash in ["0123456789abcdef0123456789abcdef01234567", &"e".repeat(64)] {
            assert_eq!(of(hash).mistake(), None, "{hash}");
        }
        for hash in ["", "0123456", &"E".repeat(40), &"g".repeat(40)] {
            assert!(of(hash).mistake().is_some(), "{hash}");
        }
        let command_line = Some("x".repeat(LONGEST_COMMAND_LINE + 1));
        assert!(Provenance { command_line, ..Provenance::default() }.mistake().is_some());
        assert!(Provenance { commit_dirty: Some(true), ..Provenance::default() }.mistake().is_some());
        assert_eq!(Provenance::default().mistake(), None);
    }
}
