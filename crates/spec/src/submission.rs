//! From the text that a researcher sends to a checked experiment.

use std::fmt;

use serde_json::Value;

use crate::experiment::ExperimentSpec;
use crate::fields::Fields;
use crate::json::Unambiguous;
use crate::merge::merge;
use crate::nul::refuse_nul;
use crate::problem::{Problems, escaped, shown};
use crate::recipes;

/// Maximum length of what a message about TOML quotes, in bytes.
const LONGEST_QUOTE: usize = 1000;

/// Why a submission is refused.
#[derive(Debug)]
pub enum Refusal {
    /// The text is no JSON or TOML; says where.
    Malformed(String),
    /// It can be read, but not run.
    Invalid(Problems),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(detail) => f.write_str(detail),
            Self::Invalid(problems) => problems.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<Problems> for Refusal {
    fn from(problems: Problems) -> Self {
        Self::Invalid(problems)
    }
}

/// Whether a submission is JSON and not TOML: no TOML document begins with a brace.
pub fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Reads a submission, be it JSON or TOML.
///
/// # Errors
/// Those of [`parse_json`] and [`parse_toml`].
pub fn parse(text: &str) -> Result<Value, Refusal> {
    if is_json(text) { parse_json(text.as_bytes()) } else { parse_toml(text) }
}

/// Reads JSON.
///
/// # Errors
/// [`Refusal::Malformed`] with line and column, also for a table that has a field twice; [`Refusal::Invalid`] for a text
/// with NUL.
pub fn parse_json(text: &[u8]) -> Result<Value, Refusal> {
    let Unambiguous(value) = serde_json::from_slice(text).map_err(|error| {
        let what = if error.is_data() { "" } else { "not JSON: " };
        Refusal::Malformed(format!("{what}{error}"))
    })?;
    refuse_nul(&value)?;
    Ok(value)
}

/// Reads TOML as the JSON that says the same.
///
/// # Errors
/// [`Refusal::Malformed`] with line and column; [`Refusal::Invalid`] for a number that JSON cannot represent and for a
/// text with NUL.
pub fn parse_toml(text: &str) -> Result<Value, Refusal> {
    let table = toml::from_str::<toml::Table>(text).map_err(|error| Refusal::Malformed(not_toml(&error)))?;
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

/// Resolves what was sent: an experiment itself, or `{"recipe": NAME, "overrides": {...}}`.
///
/// # Errors
/// Every mistake with its path.
pub fn resolve(sent: &Value) -> Result<ExperimentSpec, Problems> {
    let mut problems = Problems::default();
    let spec = expanded(sent, &mut problems)
        .map(|value| Fields::of(&value, "", &mut problems, ExperimentSpec::read));
    problems.ok_or(spec).map(|spec| spec.expect("without a mistake there is a spec"))
}

/// What [`resolve`] reads, unchecked: a recipe with overrides as the spec that it stands for.
///
/// # Errors
/// What is wrong with the names and the overrides.
pub fn expand(sent: &Value) -> Result<Value, Problems> {
    let mut problems = Problems::default();
    let value = expanded(sent, &mut problems);
    problems.ok_or(value).map(|value| value.expect("without a mistake there is a value"))
}

/// `None` where the recipe is unknown, which is noted. Invalid overrides are noted and left out, so that the rest is
/// checked too.
fn expanded(sent: &Value, problems: &mut Problems) -> Option<Value> {
    if sent.get("recipe").is_none() {
        return Some(sent.clone());
    }
    Fields::of(sent, "", problems, |fields| {
        let name = fields.identifier("recipe");
        let recipe = recipes::find(&name).map_err(|problems| {
            // An invalid name is noted already.
            if !name.is_empty() {
                problems.list.into_iter().for_each(|problem| fields.wrong("recipe", problem.detail));
            }
        });
        let overrides = fields.raw("overrides");
        if let Some(other) = overrides.filter(|overrides| !overrides.is_object()) {
            let is = shown(other);
            fields.wrong("overrides", format!("must be a table of fields of the spec, is {is}"));
        }
        let overrides = overrides.filter(|overrides| overrides.is_object());
        recipe.ok().map(|recipe| match overrides {
            Some(overrides) => merge(recipe.value(), overrides),
            None => recipe.value(),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointers(sent: Value) -> Vec<String> {
        let problems = resolve(&sent).unwrap_err();
        problems.list.into_iter().map(|problem| problem.pointer).collect()
    }

    #[test]
    fn mistakes_beside_a_recipe_and_in_its_overrides_are_told_together() {
        let sent = json!({ "recipe": "digits-mlp", "seeds": [1], "overrides": { "train": { "epochs": 0 } } });
        assert_eq!(pointers(sent), ["/seeds", "/train/epochs"]);
        let sent = json!({ "recipe": "digits", "overides": {}, "overrides": [1] });
        assert_eq!(pointers(sent), ["/recipe", "/overrides", "/overides"]);
        assert_eq!(pointers(json!({ "recipe": "../digits", "overrides": 1 })), ["/recipe", "/overrides"]);
        let arms = json!([{ "name": "a", "method": { "kind": "baseline" }, "train": { "epochs": 0 } }]);
        let sent = json!({ "recipe": "digits-mlp", "overrides": { "arms": arms }, "name": "x" });
        assert_eq!(pointers(sent), ["/name", "/arms/0/train/epochs"]);
    }

    #[test]
    fn a_text_is_read_by_what_it_begins_with() {
        let value = json!({ "name": "x", "seeds": [1] });
        assert_eq!(parse(" \n{\"name\": \"x\", \"seeds\": [1]}").unwrap(), value);
        assert_eq!(parse("# why\nname = \"x\"\nseeds = [1]").unwrap(), value);
        assert!(
            parse("{\"name\": \"x\", \"name\": \"y\"}")
                .unwrap_err()
                .to_string()
                .contains("\"name\" stands twice")
        );
    }
}
