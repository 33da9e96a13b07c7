//! `optlab.toml`, the settings file.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Arg, Args, Command};
use optlab_spec::submission::parse_toml;
use serde_json::Value;

use super::argument::{accepted, key_of};
use super::error::{ConfigError, LONGEST_FILE};
use super::pool::{POOLS, PoolSettings, from_tables};
use super::service::ServiceSettings;

/// The values of a settings file, by key. All commands share one file, so it may have any setting of a server.
#[derive(Default)]
pub(super) struct SettingsFile {
    values: HashMap<String, String>,
    /// The pools of `[slurm.NAME]`.
    pub(super) pools: Vec<PoolSettings>,
}

impl SettingsFile {
    /// Reads and checks the `named` file, or `optlab.toml` if that exists.
    pub(super) fn read(named: Option<&PathBuf>) -> Result<Self, ConfigError> {
        let default = Path::new("optlab.toml");
        let path = match named {
            Some(path) => path,
            None if default.exists() => default,
            None => return Ok(Self::default()),
        };
        let malformed = |source| ConfigError::Malformed { path: path.to_owned(), source };
        let Value::Object(mut table) = parse_toml(&text(path)?).map_err(malformed)? else {
            return Ok(Self::default());
        };
        let pools = match table.remove(POOLS) {
            Some(pools) => from_tables(pools).map_err(|(key, problem)| ConfigError::InvalidValue {
                path: path.to_owned(),
                key: format!("{POOLS}{key}"),
                problem,
            })?,
            None => Vec::new(),
        };
        let known = ServiceSettings::augment_args(Command::new("optlab"));
        let values = table.into_iter().map(|(key, value)| match arg_of(&known, &key) {
            Some(arg) => Ok((key.clone(), checked(path, &key, arg, value)?)),
            None => {
                let known = known.get_arguments().filter_map(key_of).collect::<Vec<_>>().join(", ");
                let known = format!("{known}, and the tables {POOLS}.NAME");
                Err(ConfigError::UnknownKey { path: path.to_owned(), key, known })
            }
        });
        Ok(Self { values: values.collect::<Result<_, _>>()?, pools })
    }

    /// The value of an argument.
    pub(super) fn value(&self, arg: &Arg) -> Option<&str> {
        self.values.get(&key_of(arg)?).map(String::as_str)
    }
}

/// The pools of a settings file, or of `optlab.toml` if that exists.
///
/// # Errors
/// [`ConfigError`] for the file.
pub fn pools(file: Option<&PathBuf>) -> Result<Vec<PoolSettings>, ConfigError> {
    Ok(SettingsFile::read(file)?.pools)
}

fn arg_of<'a>(known: &'a Command, key: &str) -> Option<&'a Arg> {
    known.get_arguments().find(|arg| key_of(arg).as_deref() == Some(key))
}

fn text(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST_FILE + 1).read_to_string(&mut text))
        .map_err(unreadable)?;
    if text.len() as u64 > LONGEST_FILE { Err(ConfigError::TooLong(path.to_owned())) } else { Ok(text) }
}

/// The value as a text that the argument's own parser accepts.
fn checked(path: &Path, key: &str, arg: &Arg, value: Value) -> Result<String, ConfigError> {
    accepted(arg, value).map_err(|problem| ConfigError::InvalidValue {
        path: path.to_owned(),
        key: key.to_owned(),
        problem,
    })
}
