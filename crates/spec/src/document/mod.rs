//! Parses a text, JSON or TOML, into an unchecked value.

mod json;
mod place;

use std::fmt;

use serde_json::Value;

use crate::nul::refuse_nul;
use crate::problem::{Problems, escaped};

pub use json::parse_json;
pub use place::place;

/// Maximum length of a quotation in a message about TOML, in bytes.
const LONGEST_QUOTE: usize = 1000;

/// The reason why a submission is rejected.
#[derive(Debug)]
pub enum DocumentError {
    /// The text is not JSON or TOML, with the place of the error.
    Malformed(String),
    /// The text can be parsed, but the spec has mistakes.
    Invalid(Problems),
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(detail) => f.write_str(detail),
            Self::Invalid(problems) => problems.fmt(f),
        }
    }
}

impl std::error::Error for DocumentError {}

impl From<Problems> for DocumentError {
    fn from(problems: Problems) -> Self {
        Self::Invalid(problems)
    }
}

/// Whether a submission is JSON: no TOML document begins with a brace.
pub fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Reads a submission in JSON or TOML.
///
/// # Errors
/// Those of [`parse_json`] and [`parse_toml`].
pub fn parse(text: &str) -> Result<Value, DocumentError> {
    if is_json(text) { parse_json(text.as_bytes()) } else { parse_toml(text) }
}

/// Reads TOML as the equivalent JSON.
///
/// # Errors
/// [`DocumentError::Malformed`] with line and column; [`DocumentError::Invalid`] for a number that JSON cannot represent and for a
/// text with NUL.
pub fn parse_toml(text: &str) -> Result<Value, DocumentError> {
    let table =
        toml::from_str::<toml::Table>(text).map_err(|error| DocumentError::Malformed(not_toml(&error)))?;
    let value = to_json(toml::Value::Table(table), "")?;
    refuse_nul(&value)?;
    Ok(value)
}

/// The library's text with the place and the line, without its own "TOML parse error". A long line is not quoted.
fn not_toml(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let Some(text) = text.trim_end().strip_prefix("TOML parse error at ") else {
        return format!("not TOML: {}", text.trim_end());
    };
    match text.split_once('\n') {
        Some((place, quoted)) if quoted.len() > LONGEST_QUOTE => {
            format!("not TOML, at {place}: {}", error.message())
        }
        _ => format!("not TOML, at {text}"),
    }
}

fn to_json(value: toml::Value, pointer: &str) -> Result<Value, Problems> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) if !number.is_finite() => {
            return Err(Problems::one(pointer, format!("must be finite, is {number}")));
        }
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => {
            let item = |(index, item)| to_json(item, &format!("{pointer}/{index}"));
            items.into_iter().enumerate().map(item).collect::<Result<_, _>>()?
        }
        toml::Value::Table(table) => {
            let field = |(name, field): (String, toml::Value)| {
                let field = to_json(field, &format!("{pointer}/{}", escaped(&name)))?;
                Ok((name, field))
            };
            Value::Object(table.into_iter().map(field).collect::<Result<_, Problems>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_character_determines_the_format() {
        let value = json!({ "name": "x", "seeds": [1] });
        assert_eq!(parse(" \n{\"name\": \"x\", \"seeds\": [1]}").unwrap(), value);
        assert_eq!(parse("# why\nname = \"x\"\nseeds = [1]").unwrap(), value);
        assert!(
            parse("{\"name\": \"x\", \"name\": \"y\"}")
                .unwrap_err()
                .to_string()
                .contains("\"name\" is set twice")
        );
    }
}
