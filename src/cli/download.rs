//! Files that the server makes.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::client::Client;
use super::unfinished::Unfinished;
use super::{Failure, output};

/// The error of a transfer that the server or the network has ended early.
pub(super) const BROKEN: &str = "the transfer was interrupted; the incomplete file was removed";

/// Downloads `path` to the file `to`, by default one of the name that the server gives, and returns its name. An
/// existing file is not overwritten; `-` is standard output.
pub(super) fn download(client: &Client, path: &str, to: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let (name, mut body) = client.download(path)?;
    let to = to.unwrap_or_else(|| PathBuf::from(name));
    if to == Path::new("-") {
        output::verbatim(body)?;
        return Ok(to);
    }
    let unfinished = Unfinished::beside(&to)?;
    let path = unfinished.path();
    let mut file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    io::copy(&mut body, &mut file).and_then(|_| file.sync_all()).context(BROKEN)?;
    unfinished.finish()?;
    Ok(to)
}
