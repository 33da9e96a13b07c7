//! Files that commands read whole.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

/// Reads a file of a folder of ours. Anything but a regular file is refused: opening a FIFO would wait for its writer.
pub(super) fn regular(path: &Path) -> anyhow::Result<Vec<u8>> {
    let read = || -> anyhow::Result<Vec<u8>> {
        ensure!(fs::metadata(path)?.is_file(), "not a regular file");
        Ok(fs::read(path)?)
    };
    read().with_context(|| path.display().to_string())
}
