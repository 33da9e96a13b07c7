//! Files and folders that commands write. They get their name when they are complete.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// A file or folder under a temporary name beside its destination. It is removed when dropped.
pub(super) struct Unfinished {
    output: PathBuf,
    path: PathBuf,
}

impl Unfinished {
    /// Fails if `output` exists. Removes what an earlier process has left that was killed.
    pub(super) fn beside(output: &Path) -> anyhow::Result<Self> {
        ensure!(!output.exists(), "{} exists already", output.display());
        let unfinished = Self { output: output.to_owned(), path: with_ending(output, ".unfinished") };
        unfinished.remove();
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

    /// Errors show when the same name is written again.
    fn remove(&self) {
        let _ = if self.path.is_dir() { fs::remove_dir_all(&self.path) } else { fs::remove_file(&self.path) };
        // SQLite writes one beside an unfinished copy of a database.
        let _ = fs::remove_file(with_ending(&self.path, "-journal"));
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.remove();
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(ending);
    name.into()
}
