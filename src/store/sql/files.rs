//! The files of an open SQLite database: whether they are still at their paths.
//!
//! Whoever has opened a file keeps it when its path is removed or leads to another one. What is written then is in no
//! file that a restart would find: neither in the database, nor in its log, which holds what was committed last.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::store::StoreError;

/// Device and inode, or `None` where there is no file.
type Identity = Option<(u64, u64)>;

pub(super) struct Files {
    /// The database, its log and the index of the log.
    opened: [(PathBuf, Identity); 3],
    /// Whether the log says already that one is gone.
    reported: AtomicBool,
}

impl Files {
    /// Of the database at `path`, which a connection holds open.
    pub(super) fn opened(path: &Path) -> Self {
        // SQLite puts the other two beside the file itself, wherever a link to it is.
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let beside = |ending| PathBuf::from(format!("{}{ending}", real.display()));
        let paths = [path.to_owned(), beside("-wal"), beside("-shm")];
        let opened = paths.map(|path| {
            let found = identity(&path);
            (path, found)
        });
        Self { opened, reported: AtomicBool::new(false) }
    }

    /// The database itself.
    pub(super) fn database(&self) -> &Path {
        &self.opened[0].0
    }

    /// # Errors
    /// [`StoreError::Moved`] where another file, or none, is at one of the paths.
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
