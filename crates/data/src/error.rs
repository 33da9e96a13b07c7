//! What can be wrong with the files of a data set.

use std::io;
use std::path::PathBuf;

/// Why a data set cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file is there, but not the official one.
    #[error(
        "{} is truncated or altered (its SHA-256 is not {expected}); `optlab data fetch` replaces what it has fetched itself, \
         and a file of your own is for you to replace or delete",
        path.display()
    )]
    Altered {
        /// The file.
        path: PathBuf,
        /// What it should hash to.
        expected: &'static str,
    },
    /// A verified file that does not hold what it should.
    #[error("{file} {detail}")]
    Malformed {
        /// The file's name.
        file: String,
        /// What is wrong with it.
        detail: String,
    },
    /// No address answered with the right file.
    #[error("{file} of {dataset} could not be fetched: {reasons}. {advice}")]
    Unreachable {
        /// The file's name.
        file: &'static str,
        /// The data set's name.
        dataset: &'static str,
        /// What each address answered.
        reasons: String,
        /// Where the file would be found.
        advice: String,
    },
    /// The folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
