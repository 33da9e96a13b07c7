//! Sanitizes the output of runners: the store rejects NUL, and other control characters would steer terminals.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Maximum length of an error or a message of a runner, in bytes.
const LONGEST_ERROR: usize = 10_000;

/// Replaces control characters by U+FFFD, except line breaks and tabs.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(is_control) {
        Cow::Owned(text.replace(is_control, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Parses JSON and cleans its texts.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    // JSON escapes control characters, and most lines contain only numbers.
    if !json.contains("\\u00") {
        return serde_json::from_str(json);
    }
    let mut value = serde_json::from_str(json)?;
    clean_all(&mut value);
    T::deserialize(value)
}

fn clean_all(value: &mut Value) {
    match value {
        Value::String(text) => *text = clean(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(clean_all),
        Value::Object(fields) => fields.values_mut().for_each(clean_all),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The beginning of a long error or message.
pub(super) fn shorten(error: &mut String) {
    optlab_spec::shorten(error, LONGEST_ERROR);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_control_characters_are_replaced() {
        assert_eq!(clean("a\0b\u{1b}[1m\tc\nd\u{85}"), "a\u{fffd}b\u{fffd}[1m\tc\nd\u{fffd}");
        assert!(matches!(clean("naïve – ok"), Cow::Borrowed(_)));
        let read: Value = read(r#"{"a":["x\u0000\\u0000"],"b":0.1}"#).unwrap();
        assert_eq!(read, serde_json::json!({ "a": ["x\u{fffd}\\u0000"], "b": 0.1 }));
    }
}
