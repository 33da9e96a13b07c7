//! Checks of files against their published hashes.

use sha2::{Digest, Sha256};

/// Whether `content` hashes to `sha256`, in lower-case hexadecimal.
pub(crate) fn has_sha256(content: &[u8], sha256: &str) -> bool {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>() == sha256
}
