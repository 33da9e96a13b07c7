//! Precedence: flags, the environment, the settings file, defaults.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::{Arg, ArgMatches, Command, Parser};

use super::error::ConfigError;
use super::file::SettingsFile;

/// Reads the arguments of a command, the first of which is the name of the program. The settings file is the one that
/// they name with `--config`, or `optlab.toml` if it exists; commands without that argument have none.
///
/// # Errors
/// [`ConfigError::Arguments`] for the arguments and the environment, also if they ask for help; the other variants for
/// the file.
pub fn read<C: Parser>(arguments: &[OsString]) -> Result<C, ConfigError> {
    let command = without_empty_variables(C::command());
    // The file may have what is required, so the arguments that name it are parsed without requirements. Mistakes are
    // reported by the second parser, whose usage is the true one.
    let command = match without_requirements(command.clone()).try_get_matches_from(arguments) {
        Ok(matches) => match file_of(&matches) {
            Some(named) => over_file(command, &SettingsFile::read(named)?),
            None => command,
        },
        Err(_) => command,
    };
    Ok(C::from_arg_matches(&command.try_get_matches_from(arguments)?)?)
}

/// The value of `--config`, if the command has this argument.
fn file_of(matches: &ArgMatches) -> Option<Option<&PathBuf>> {
    match matches.subcommand() {
        Some((_, matches)) => file_of(matches),
        None => matches.try_get_one("config").ok(),
    }
}

/// Makes the values of the file the defaults of the arguments. They pass the arguments' own parsers.
fn over_file(command: Command, file: &SettingsFile) -> Command {
    let command = command.mut_subcommands(|command| over_file(command, file));
    if !command.get_arguments().any(|arg| arg.get_id() == "config") {
        return command;
    }
    command.mut_args(|arg| match file.value(&arg) {
        Some(value) => arg.default_value(value.to_owned()).required(false),
        None => arg,
    })
}

/// An empty variable counts as unset, because scripts and container files mean it so.
fn without_empty_variables(command: Command) -> Command {
    let is_empty = |arg: &Arg| arg.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty());
    let unset = |arg| if is_empty(&arg) { arg.env(Resettable::Reset) } else { arg };
    command.mut_args(unset).mut_subcommands(without_empty_variables)
}

fn without_requirements(command: Command) -> Command {
    command.mut_args(|arg| arg.required(false)).mut_subcommands(without_requirements)
}
