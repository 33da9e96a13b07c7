//! The database, and the settings that every command on it has.

use std::fmt;
use std::path::PathBuf;

use clap::Args;

use crate::store::redacted;

/// Settings of commands that open a database.
#[derive(Args, Clone, Debug)]
pub struct DatabaseSettings {
    /// URL of the database; postgres://... for several machines. A `worker` has no default
    #[arg(
        long,
        env = "OPTLAB_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        default_value = "sqlite:optlab.db"
    )]
    pub database_url: DatabaseUrl,
    /// Settings file [default: optlab.toml, if it exists]
    #[arg(long, env = "OPTLAB_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// URL of a database. `Display` and `Debug` show it without its secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The whole URL, which may contain a password.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for DatabaseUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redacted(&self.0))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
