//! The key of an argument in the settings file, and its values there.

use std::error::Error;

use clap::{Arg, Command};
use serde_json::Value;

/// The key of a setting is its flag with underscores. The file cannot name another file.
pub(super) fn key_of(arg: &Arg) -> Option<String> {
    let flag = arg.get_long().filter(|flag| *flag != "config")?;
    Some(flag.replace('-', "_"))
}

/// The value as a text that the argument's own parser accepts, or what the value must be.
pub(super) fn accepted(arg: &Arg, value: Value) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => return Err("must be a text or a number".to_owned()),
    };
    let flag = format!("--{}={text}", arg.get_long().unwrap_or_default());
    let parser = Command::new("optlab").no_binary_name(true).arg(arg.clone());
    let Err(error) = parser.try_get_matches_from([flag]) else { return Ok(text) };
    let names: Vec<_> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    Err(match error.source() {
        Some(problem) => problem.to_string(),
        None if names.is_empty() => "must not be empty".to_owned(),
        None => format!("must be one of {}", names.join(", ")),
    })
}
