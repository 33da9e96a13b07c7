//! Errors of data files.

use std::io;
use std::path::PathBuf;

/// The reason why a data set cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file exists, but is not the official one.
    #[error(
        "{} is truncated or altered (its SHA-256 is not {expected}). `optlab data fetch` replaces files that it has \
         downloaded itself; replace or delete a file of your own by hand",
        path.display()
    )]
    Altered {
        /// The file.
        path: PathBuf,
        /// The official hash.
        expected: &'static str,
    },
    /// A verified file with unexpected contents.
    #[error("{file} {detail}")]
    Malformed {
        /// The file's name.
        file: String,
        /// The mistake in it.
        detail: String,
    },
    /// No address returned the official file.
    #[error("{file} of {dataset} could not be downloaded: {reasons}. {advice}")]
    Unreachable {
        /// The file's name.
        file: &'static str,
        /// The data set's name.
        dataset: &'static str,
        /// The answer of each address.
        reasons: String,
        /// What the user can do.
        advice: String,
    },
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}
