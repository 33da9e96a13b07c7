//! Checks of files against their published hashes.

use sha2::{Digest, Sha256};

/// Whether `content` hashes to `sha256`, in lower-case hexadecimal.
pub(crate) fn has_sha256(content: &[u8], sha256: &str) -> bool {
    hex::encode(Sha256::digest(content)) == sha256
}
