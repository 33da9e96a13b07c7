//! Files that commands read into memory.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, ensure};

use super::Failure;

/// Reads a file that optlab has written. Only regular files are accepted, because opening a FIFO would wait for a
/// writer.
pub(super) fn regular(path: &Path) -> anyhow::Result<Vec<u8>> {
    let read = || -> anyhow::Result<Vec<u8>> {
        ensure!(fs::metadata(path)?.is_file(), "not a regular file");
        Ok(fs::read(path)?)
    };
    read().with_context(|| path.display().to_string())
}

/// Reads a text of at most `limit` bytes from a file, which may be a pipe.
pub(super) fn text(path: &Path, limit: usize) -> Result<String, Failure> {
    let shown = path.display().to_string();
    let file = File::open(path).with_context(|| shown.clone())?;
    text_from(file, &shown, limit)
}

/// Reads a text of at most `limit` bytes; errors name its source as `name`.
pub(super) fn text_from(source: impl Read, name: &str, limit: usize) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    source.take(limit as u64 + 1).read_to_end(&mut bytes).with_context(|| name.to_owned())?;
    if bytes.len() > limit {
        return Err(Failure::Usage(format!("{name} has more than {limit} bytes, the limit of the server")));
    }
    let text = String::from_utf8(bytes);
    Ok(text
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
        .with_context(|| name.to_owned())?)
}
