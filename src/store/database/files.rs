//! Checks that the files of an open SQLite database are still at their paths.
//!
//! An open file stays usable after its path is removed or replaced. Writes then go to a file that a restart would not
//! find. This concerns the database and its log, which holds the latest commits.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::store::StoreError;

/// Device and inode, or `None` where there is no file.
type Identity = Option<(u64, u64)>;

pub(super) struct Files {
    /// The database, its log and the index of the log.
    opened: [(PathBuf, Identity); 3],
    import_lock: PathBuf,
    /// Whether the loss of a file has been logged already.
    reported: AtomicBool,
}

impl Files {
    /// The files of the database at `path`, which a connection holds open.
    pub(super) fn opened(path: &Path) -> Self {
        // SQLite creates the other two beside the file itself, not beside a link to it.
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let beside = |ending| PathBuf::from(format!("{}{ending}", real.display()));
        let import_lock = beside("-import");
        let paths = [path.to_owned(), beside("-wal"), beside("-shm")];
        let opened = paths.map(|path| {
            let found = identity(&path);
            (path, found)
        });
        Self { opened, import_lock, reported: AtomicBool::new(false) }
    }

    /// The database itself.
    pub(super) fn database(&self) -> &Path {
        &self.opened[0].0
    }

    /// The file that running imports lock. The system releases a lock when its process ends. SQLite's own files cannot be
    /// used, because closing one would release SQLite's locks.
    pub(super) fn import_lock(&self) -> Result<File, StoreError> {
        let file = File::options().create(true).append(true).open(&self.import_lock);
        file.map_err(|error| StoreError::Failing(format!("{}: {error}", self.import_lock.display())))
    }

    /// # Errors
    /// [`StoreError::Moved`] if one of the files was removed or replaced.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let Some((path, _)) = self.opened.iter().find(|(path, opened)| identity(path) != *opened) else {
            return Ok(());
        };
        if !self.reported.swap(true, Ordering::Relaxed) {
            tracing::error!(
                "{} was removed or replaced while it was open: nothing is stored any more. Put the file back, or restart \
                 the server",
                path.display()
            );
        }
        Err(StoreError::Moved)
    }
}

fn identity(path: &Path) -> Identity {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}
