//! Mistakes in settings.

use std::path::PathBuf;

use optlab_spec::submission::DocumentError;

/// The longest settings file that is read, in bytes.
pub(super) const LONGEST_FILE: u64 = 1_000_000;

/// The reason why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The command line or the environment is wrong, or requests help.
    #[error(transparent)]
    Arguments(#[from] clap::Error),
    /// The file cannot be read.
    #[error("the settings file {}: {source}", path.display())]
    Unreadable {
        /// The settings file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The file is too long.
    #[error("the settings file {} has more than {} bytes", .0.display(), LONGEST_FILE)]
    TooLong(PathBuf),
    /// The file is not TOML.
    #[error("the settings file {}: {source}", path.display())]
    Malformed {
        /// The settings file.
        path: PathBuf,
        /// Where and why.
        source: DocumentError,
    },
    /// A key is not the name of a setting.
    #[error("the settings file {}: there is no setting `{key}`; the settings are {known}", path.display())]
    UnknownKey {
        /// The settings file.
        path: PathBuf,
        /// The key.
        key: String,
        /// All keys.
        known: String,
    },
    /// A setting has an invalid value.
    #[error("the settings file {}: `{key}` {problem}", path.display())]
    InvalidValue {
        /// The settings file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What the value must be.
        problem: String,
    },
}
