//! Names, and the other fields for searches.

use serde_json::Value;

use super::Fields;
use crate::problem::{Problems, Unknown, quoted, shown};

/// The syntax of a name, for messages.
const IDENTIFIER: &str = "1 to 100 letters, digits, `.`, `_` or `-`";

/// The syntax of a name, as a regular expression.
pub const IDENTIFIER_PATTERN: &str = "^[A-Za-z0-9._-]{1,100}$";

/// Whether the text can be a name in a spec.
pub fn is_identifier(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

impl Fields<'_> {
    /// A required name of letters, digits, `.`, `_` and `-`, at most 100 characters.
    pub fn identifier(&mut self, name: &'static str) -> String {
        match self.value(name) {
            Some(Value::String(text)) if is_identifier(text) => return text.clone(),
            Some(value) => self.wrong(name, format!("must be {IDENTIFIER}, is {}", shown(value))),
            None => self.wrong(name, format!("is missing: give {IDENTIFIER}")),
        }
        String::new()
    }

    /// The required name of an experiment: an identifier that commands cannot mistake for a flag or an id. Specs stored
    /// before this rule keep their names.
    pub fn name(&mut self, name: &'static str) -> String {
        self.identifier_unless(name, |text| {
            if text.bytes().all(|b| b.is_ascii_digit()) {
                return Some("must not be only digits, because commands take a number for an id");
            }
            misleading(text)
        })
    }

    /// The required name of an arm: an identifier that commands cannot mistake for a flag, and that is safe as the name
    /// of a folder.
    pub fn arm_name(&mut self, name: &'static str) -> String {
        self.identifier_unless(name, misleading)
    }

    /// An identifier for which `refusal` returns no reason.
    fn identifier_unless(
        &mut self,
        name: &'static str,
        refusal: impl FnOnce(&str) -> Option<&'static str>,
    ) -> String {
        let text = self.identifier(name);
        let is_new = self.problems.unknown == Unknown::Refused;
        if let Some(reason) = refusal(&text).filter(|_| is_new && !text.is_empty()) {
            self.wrong(name, format!("{reason}, is {}", quoted(&text)));
        }
        text
    }

    /// Notes of a researcher; empty by default.
    pub fn notes(&mut self) -> String {
        self.text("notes", 100_000)
    }

    /// Words for searches; none by default.
    pub fn tags(&mut self) -> Vec<String> {
        self.list("tags", Some(vec![]), 0..=50, tag)
    }

    /// The priority of the jobs in the queue; 0 by default.
    pub fn priority(&mut self) -> i64 {
        self.signed("priority", 0, -1_000_000..=1_000_000)
    }
}

fn tag(value: &Value, pointer: &str, problems: &mut Problems) -> String {
    match value.as_str() {
        Some(tag) if is_identifier(tag) => tag.to_owned(),
        _ => {
            problems.add(pointer, format!("must be {IDENTIFIER}, is {}", shown(value)));
            String::new()
        }
    }
}

/// The reason why a name would be ambiguous on a command line or as the name of a folder.
fn misleading(text: &str) -> Option<&'static str> {
    if text.starts_with('-') {
        return Some("must not begin with `-`, because commands take that for a flag");
    }
    matches!(text, "." | "..").then_some("must not be `.` or `..`, which name folders")
}
