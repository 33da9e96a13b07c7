//! Files and folders that commands write. They get their name when they are complete.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, ensure};
use tokio::runtime;

use super::signals::Signals;

/// A file or folder under a temporary name beside its destination. It is removed when dropped, and when a signal ends the
/// process.
pub(super) struct Unfinished {
    output: PathBuf,
    path: PathBuf,
}

impl Unfinished {
    /// Fails if `output` exists. Removes what an earlier process has left that was killed.
    pub(super) fn beside(output: &Path) -> anyhow::Result<Self> {
        ensure!(!output.exists(), "{} exists already", output.display());
        let unfinished = Self { output: output.to_owned(), path: with_ending(output, ".unfinished") };
        remove(&unfinished.path);
        remove_on_signal(unfinished.path.clone())?;
        Ok(unfinished)
    }

    /// The temporary name.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Renames it to its final name.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        fs::rename(&self.path, &self.output).with_context(|| self.output.display().to_string())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Errors show when the same name is written again.
fn remove(path: &Path) {
    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    // SQLite writes one beside an unfinished copy of a database.
    let _ = fs::remove_file(with_ending(path, "-journal"));
}

/// Waits in a thread of its own, because the command itself blocks.
fn remove_on_signal(path: PathBuf) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    let entered = runtime.enter();
    let mut signals = Signals::new()?;
    drop(entered);
    std::thread::spawn(move || {
        runtime.block_on(signals.next());
        remove(&path);
        process::exit(130);
    });
    Ok(())
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(ending);
    name.into()
}
