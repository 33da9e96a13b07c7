//! JSON in which no table has a duplicate field.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::DocumentError;
use crate::nul::refuse_nul;

/// Reads JSON.
///
/// # Errors
/// [`DocumentError::Malformed`] with line and column, also for a table with a duplicate field; [`DocumentError::Invalid`] for a
/// text with NUL.
pub fn parse_json(text: &[u8]) -> Result<Value, DocumentError> {
    let Unambiguous(value) = serde_json::from_slice(text).map_err(|error| {
        let what = if error.is_data() { "" } else { "not JSON: " };
        DocumentError::Malformed(format!("{what}{error}"))
    })?;
    refuse_nul(&value)?;
    Ok(value)
}

/// A value whose tables have no duplicate fields, of which a [`Value`] would keep only the last.
struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unambiguous(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut table = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if table.contains_key(&name) {
                let name: String = name.chars().take(100).collect();
                return Err(A::Error::custom(format_args!("the field {name:?} is set twice in one table")));
            }
            let Unambiguous(value) = fields.next_value()?;
            table.insert(name, value);
        }
        Ok(Value::Object(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, String> {
        serde_json::from_str(text).map(|Unambiguous(value)| value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_is_read_as_serde_json_reads_it() {
        let text = r#" {"b": [null, true, -1, 18446744073709551615, 0.1, 1e300, "é\n"], "a": {"b": {}}} "#;
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(read(text), Ok(value.clone()));
        assert_eq!(read(text).unwrap().to_string(), value.to_string(), "in the same order");
        for text in ["", "{", "[1,]", "{} {}", "{\"a\" 1}", "NaN"] {
            let error = serde_json::from_str::<Value>(text).unwrap_err().to_string();
            assert_eq!(read(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_duplicate_field_is_named_with_its_place() {
        let error = read("{\"a\": {\"x\": 1},\n \"b\": [{\"seeds\": [0], \"seeds\": [1]}]}").unwrap_err();
        assert!(
            error.starts_with("the field \"seeds\" is set twice in one table at line 2 column "),
            "{error}"
        );
        assert_eq!(read(r#"{"a": {"x": 1}, "b": {"x": 1}}"#).unwrap()["b"]["x"], 1);
    }
}
