//! Rejects NUL, the one character that no text may contain.

use serde_json::Value;

use crate::problem::{Problems, escaped};

/// The reason for rejecting NUL, appended to the name of the field.
pub const NO_NUL: &str = "must not contain the character U+0000, which databases cannot store";

/// Checks every text of a document for NUL, including names of fields.
///
/// # Errors
/// The path of each text that contains it.
pub fn refuse_nul(value: &Value) -> Result<(), Problems> {
    let mut problems = Problems::default();
    search(value, "", &mut problems);
    problems.ok_or(())
}

fn search(value: &Value, pointer: &str, problems: &mut Problems) {
    match value {
        Value::String(text) if text.contains('\0') => problems.add(pointer, NO_NUL),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                search(item, &format!("{pointer}/{index}"), problems);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                match name.contains('\0') {
                    true => problems.add(pointer, format!("has a field whose name {NO_NUL}")),
                    false => search(field, &format!("{pointer}/{}", escaped(name)), problems),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_with_nul_is_found_by_its_path() {
        assert!(refuse_nul(&json!({ "a": ["\u{1}", 1, null, "\n"] })).is_ok());
        let found = refuse_nul(&json!({ "a": [{ "b/c": "x\0" }, "\0"], "c\0": 1 })).unwrap_err();
        let pointers: Vec<&str> = found.list.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, ["/a/0/b~1c", "/a/1", ""]);
    }
}
