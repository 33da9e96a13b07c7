//! Reading one table of a spec, field by field: name, default and range stand together in one line.
//!
//! serde stops at the first mistake and loses the path inside tagged tables; a researcher wants all mistakes of a
//! submission at once, each with its path. A field that cannot be read is noted and replaced by a stand-in, so that
//! reading goes on; what was read counts only when nothing was noted.

use std::fmt::Display;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::problem::{Problems, Unknown, alternatives, escaped, suggestion};

/// A table being read.
pub struct Fields<'a> {
    pointer: String,
    table: &'a Map<String, Value>,
    known: Vec<&'static str>,
    /// Fields that a table of another kind has, and which.
    elsewhere: Option<(&'static [&'static str], &'static str)>,
    problems: &'a mut Problems,
}

impl<'a> Fields<'a> {
    /// Reads a whole document.
    ///
    /// # Errors
    /// Every mistake with its path, when there is any.
    pub fn read<T>(value: &Value, read: impl FnOnce(&mut Fields<'_>) -> T) -> Result<T, Problems> {
        let mut problems = Problems::default();
        let read = Fields::of(value, "", &mut problems, read);
        problems.ok_or(read)
    }

    /// Reads what was stored, by this version or another one: fields that it does not know are passed over, and
    /// those that it misses have their defaults.
    ///
    /// # Errors
    /// Every mistake with its path, when there is any.
    pub(crate) fn read_stored<T>(
        value: &Value,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Result<T, Problems> {
        let mut problems = Problems { unknown: Unknown::Ignored, ..Problems::default() };
        let read = Fields::of(value, "", &mut problems, read);
        problems.ok_or(read)
    }

    /// Reads `value`, found at `pointer`, with `read`; fields that `read` did not ask for are noted as unknown.
    pub(crate) fn of<T>(
        value: &Value,
        pointer: &str,
        problems: &mut Problems,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> T {
        let nothing = Map::new();
        let Value::Object(table) = value else {
            let mut unheard = Problems::default();
            let mut fields = Fields::new(pointer, &nothing, &mut unheard);
            let read = read(&mut fields);
            let like = match (value, fields.known.first()) {
                // The word alone is what the table would begin with.
                (Value::String(_), Some(first @ (&"kind" | &"name"))) => {
                    format!(" like {{ {first} = {} }}", shown(value))
                }
                _ => String::new(),
            };
            problems.add(pointer, format!("must be a table{like}, is {}", shown(value)));
            return read;
        };
        let mut fields = Fields::new(pointer, table, problems);
        let read = read(&mut fields);
        if fields.problems.unknown == Unknown::Refused {
            fields.note_unknown();
        }
        read
    }

    fn new(pointer: &str, table: &'a Map<String, Value>, problems: &'a mut Problems) -> Self {
        Self { pointer: pointer.to_owned(), table, known: Vec::new(), elsewhere: None, problems }
    }

    /// Notes a mistake at the field `name` of this table.
    pub fn wrong(&mut self, name: &str, detail: impl Into<String>) {
        self.problems.add(format!("{}/{}", self.pointer, escaped(name)), detail);
    }

    /// Whether nothing was noted so far, here or elsewhere.
    pub(crate) fn is_sound(&self) -> bool {
        self.problems.list.is_empty()
    }

    /// Whether the field is there; null counts as absent, so that a stored spec can be submitted again.
    pub fn has(&mut self, name: &'static str) -> bool {
        self.value(name).is_some()
    }

    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        self.table.get(name).filter(|value| !value.is_null())
    }

    /// A whole number; required when there is no default.
    pub fn integer(&mut self, name: &'static str, default: Option<u64>, range: RangeInclusive<u64>) -> u64 {
        let read = |value: &Value| value.as_u64();
        self.ranged(name, "a whole number", default, range, read)
    }

    /// A number that may be negative and whole.
    pub fn signed(&mut self, name: &'static str, default: i64, range: RangeInclusive<i64>) -> i64 {
        self.ranged(name, "a whole number", Some(default), range, Value::as_i64)
    }

    /// A finite number; required when there is no default.
    pub fn number(&mut self, name: &'static str, default: Option<f64>, range: RangeInclusive<f64>) -> f64 {
        self.ranged(name, "a number", default, range, Value::as_f64)
    }

    fn ranged<T: PartialOrd + Copy + Display>(
        &mut self,
        name: &'static str,
        kind: &str,
        default: Option<T>,
        range: RangeInclusive<T>,
        read: impl Fn(&Value) -> Option<T>,
    ) -> T {
        let right = format!("{kind} from {} to {}", range.start(), range.end());
        match (self.value(name), default) {
            (Some(value), _) => match read(value) {
                Some(number) if range.contains(&number) => return number,
                _ => self.wrong(name, format!("must be {right}, is {}", shown(value))),
            },
            (None, Some(default)) => return default,
            (None, None) => self.wrong(name, format!("is missing: give {right}")),
        }
        *range.start()
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &'static str, default: bool) -> bool {
        match self.value(name) {
            Some(Value::Bool(flag)) => return *flag,
            Some(value) => self.wrong(name, format!("must be true or false, is {}", shown(value))),
            None => {}
        }
        default
    }

    /// Free text of at most `longest` bytes.
    pub fn text(&mut self, name: &'static str, longest: usize) -> String {
        match self.value(name) {
            Some(Value::String(text)) if text.len() <= longest => return text.clone(),
            Some(Value::String(text)) => {
                self.wrong(name, format!("must be at most {longest} bytes long, is {}", text.len()))
            }
            Some(value) => self.wrong(name, format!("must be text, is {}", shown(value))),
            None => {}
        }
        String::new()
    }

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
                return Some("must have more than digits, because commands take a number for an id");
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

    /// One of a fixed set of words; required when there is no default.
    pub fn choice<T: Copy>(&mut self, name: &'static str, default: Option<T>, choices: &[(&str, T)]) -> T {
        match (self.value(name), default) {
            (Some(value), _) => match chosen(value, choices.iter().copied()) {
                Ok(choice) => return choice,
                Err(detail) => self.wrong(name, detail),
            },
            (None, Some(default)) => return default,
            (None, None) => {
                let right = alternatives(choices.iter().map(|(word, _)| *word));
                self.wrong(name, format!("is missing: give {right}"));
            }
        }
        choices[0].1
    }

    /// A table of its own. A table that is left out reads as an empty one, unless it is `required`: then that one
    /// mistake is noted in place of everything that is missing in it.
    pub fn table<T>(
        &mut self,
        name: &'static str,
        required: Option<&str>,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> T {
        let pointer = format!("{}/{name}", self.pointer);
        match (self.value(name), required) {
            (Some(value), _) => Fields::of(value, &pointer, self.problems, read),
            (None, None) => read(&mut Fields::new(&pointer, &Map::new(), self.problems)),
            (None, Some(example)) => {
                self.wrong(name, format!("is missing: give a table such as {example}"));
                read(&mut Fields::new(&pointer, &Map::new(), &mut Problems::default()))
            }
        }
    }

    /// Reads a value that stands for the field `name`, a merged one for example, as if it were found there.
    pub(crate) fn nested<T>(
        &mut self,
        name: &str,
        value: &Value,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> T {
        Fields::of(value, &format!("{}/{name}", self.pointer), self.problems, read)
    }

    /// A list whose length is in `length`; `item` reads one entry, found at the given pointer.
    pub fn list<T>(
        &mut self,
        name: &'static str,
        default: Option<Vec<T>>,
        length: RangeInclusive<usize>,
        item: impl Fn(&Value, &str, &mut Problems) -> T,
    ) -> Vec<T> {
        let right = match (length.start(), length.end()) {
            (least, most) if least == most => format!("a list of {most} entries"),
            (least, most) => format!("a list of {least} to {most} entries"),
        };
        match (self.value(name), default) {
            (Some(Value::Array(items)), _) if length.contains(&items.len()) => {
                let entry =
                    |(index, value)| item(value, &format!("{}/{name}/{index}", self.pointer), self.problems);
                return items.iter().enumerate().map(entry).collect();
            }
            (Some(Value::Array(items)), _) => {
                self.wrong(name, format!("must be {right}, has {}", items.len()))
            }
            (Some(value), _) => self.wrong(name, format!("must be {right}, is {}", shown(value))),
            (None, Some(default)) => return default,
            (None, None) => self.wrong(name, format!("is missing: give {right}")),
        }
        Vec::new()
    }

    /// Notes of a researcher; empty by default.
    pub fn notes(&mut self) -> String {
        self.text("notes", 100_000)
    }

    /// Words to find an experiment by; none by default.
    pub fn tags(&mut self) -> Vec<String> {
        self.list("tags", Some(vec![]), 0..=50, tag)
    }

    /// The priority of the jobs in the queue; 0 by default.
    pub fn priority(&mut self) -> i64 {
        self.signed("priority", 0, -1_000_000..=1_000_000)
    }

    /// The field as it stands, for what none of the other readers fits.
    pub fn raw(&mut self, name: &'static str) -> Option<&'a Value> {
        self.value(name)
    }

    /// Says where these fields belong, should they be unknown here.
    pub(crate) fn belong(&mut self, names: &'static [&'static str], home: &'static str) {
        self.elsewhere = Some((names, home));
    }

    fn note_unknown(&mut self) {
        for name in self.table.keys().filter(|name| !self.known.contains(&name.as_str())) {
            let hint = suggestion(name, self.known.iter().copied());
            let known = alternatives(self.known.iter().copied());
            let detail = match self.elsewhere {
                Some((names, home)) if names.contains(&name.as_str()) => format!("; it belongs to {home}"),
                _ if hint.is_empty() => format!("; known here: {known}"),
                _ => hint,
            };
            self.problems
                .add(format!("{}/{}", self.pointer, escaped(name)), format!("unknown field{detail}"));
        }
    }
}

/// One whole number of a list.
pub(crate) fn integer_item(
    value: &Value,
    pointer: &str,
    problems: &mut Problems,
    range: RangeInclusive<u64>,
) -> u64 {
    match value.as_u64() {
        Some(number) if range.contains(&number) => number,
        _ => {
            let (from, to) = (range.start(), range.end());
            problems.add(pointer, format!("must be a whole number from {from} to {to}, is {}", shown(value)));
            *range.start()
        }
    }
}

/// One word of a list, with what it stands for; `None` where it is none of the `choices`.
pub(crate) fn choice_item<'w, T>(
    value: &Value,
    pointer: &str,
    problems: &mut Problems,
    choices: impl Iterator<Item = (&'w str, T)> + Clone,
) -> Option<T> {
    chosen(value, choices).map_err(|detail| problems.add(pointer, detail)).ok()
}

/// What the word stands for, or why it stands for nothing.
fn chosen<'w, T>(
    value: &Value,
    mut choices: impl Iterator<Item = (&'w str, T)> + Clone,
) -> Result<T, String> {
    let words = choices.clone().map(|(word, _)| word);
    choices.find(|(word, _)| value == word).map(|(_, choice)| choice).ok_or_else(|| {
        let hint = value.as_str().map_or_else(String::new, |given| suggestion(given, words.clone()));
        format!("must be {}, is {}{hint}", alternatives(words), shown(value))
    })
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

/// What a name may consist of.
const IDENTIFIER: &str = "1 to 100 letters, digits, `.`, `_` or `-`";

/// The same as a regular expression.
pub const IDENTIFIER_PATTERN: &str = "^[A-Za-z0-9._-]{1,100}$";

/// Whether the text can be a name in a spec.
pub fn is_identifier(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// Why a name would be ambiguous on a command line or as the name of a folder.
fn misleading(text: &str) -> Option<&'static str> {
    if text.starts_with('-') {
        return Some("must not begin with `-`, because commands take that for a flag");
    }
    matches!(text, "." | "..").then_some("must not be `.` or `..`, which name folders")
}

/// A value as an error message shows it: short, and unmistakable about its type.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "a table".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start:?}... ({} bytes)", text.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(value: Value) -> Vec<String> {
        let mut problems = Problems::default();
        Fields::of(&value, "", &mut problems, |fields| {
            fields.integer("epochs", None, 1..=100);
            fields.table("model", Some("{ kind = \"mlp\" }"), |model| model.flag("batch_norm", false));
            fields.list("hidden", Some(vec![]), 1..=2, |v, p, problems| integer_item(v, p, problems, 1..=9));
        });
        problems.list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_mistakes_are_found_in_one_pass_with_their_paths() {
        let found = problems(json!({
            "epohcs": 3, "model": {"batch_norm": "yes", "a/b": 1}, "hidden": [4, 10],
        }));
        assert_eq!(
            found,
            [
                "/epochs: is missing: give a whole number from 1 to 100",
                "/model/batch_norm: must be true or false, is \"yes\"",
                "/model/a~1b: unknown field; known here: `batch_norm`",
                "/hidden/1: must be a whole number from 1 to 9, is 10",
                "/epohcs: unknown field; did you mean `epochs`?",
            ]
        );
    }

    #[test]
    fn a_missing_table_is_one_mistake_and_a_wrong_type_another() {
        assert_eq!(
            problems(json!({"epochs": 1})),
            ["/model: is missing: give a table such as { kind = \"mlp\" }"]
        );
        assert_eq!(problems(json!({"epochs": 1.5, "model": []})).len(), 2);
        assert_eq!(problems(json!([1])), ["the spec: must be a table, is a list"]);
    }

    #[test]
    fn a_word_in_place_of_its_table_is_shown_in_one() {
        let mut problems = Problems::default();
        let read = |fields: &mut Fields<'_>| {
            fields.table("schedule", None, |schedule| schedule.identifier("kind"));
            fields.table("energy", None, |energy| energy.flag("half_space", false));
        };
        Fields::of(&json!({"schedule": "cosine", "energy": "cosine"}), "", &mut problems, read);
        assert_eq!(
            problems.to_string(),
            "/schedule: must be a table like { kind = \"cosine\" }, is \"cosine\"\n/energy: must be a table, is \"cosine\""
        );
    }
}
