//! Reads one table of a spec, field by field: name, default and range are in one line.
//!
//! serde stops at the first mistake and loses the path inside tagged tables; a researcher wants all mistakes of a
//! submission at once, each with its path. A field that cannot be read is recorded as a mistake and replaced by a
//! placeholder, so that reading continues. The result counts only if there is no mistake.

mod names;
mod values;
mod words;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::problem::{Problems, Unknown, alternatives, escaped, shown, suggestion};

pub use names::{IDENTIFIER_PATTERN, is_identifier};
pub(crate) use values::integer_item;
pub(crate) use words::word_item;

/// A table being read.
pub struct Fields<'a> {
    pointer: String,
    table: &'a Map<String, Value>,
    known: Vec<&'static str>,
    /// Fields of other tables, each with its table.
    homes: Vec<(&'static [&'static str], &'static str)>,
    /// Whether unknown fields are mistakes.
    judged: bool,
    problems: &'a mut Problems,
}

impl<'a> Fields<'a> {
    /// Reads a whole document.
    ///
    /// # Errors
    /// Every mistake with its path, if there is any.
    pub fn read<T>(value: &Value, read: impl FnOnce(&mut Fields<'_>) -> T) -> Result<T, Problems> {
        let mut problems = Problems::default();
        let read = Fields::of(value, "", &mut problems, read);
        problems.ok_or(read)
    }

    /// Reads a document that this version or another one has stored: unknown fields are ignored, and missing ones have
    /// their defaults.
    ///
    /// # Errors
    /// Every mistake with its path, if there is any.
    pub(crate) fn read_stored<T>(
        value: &Value,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Result<T, Problems> {
        let mut problems = Problems { unknown: Unknown::Ignored, ..Problems::default() };
        let read = Fields::of(value, "", &mut problems, read);
        problems.ok_or(read)
    }

    /// Reads `value`, found at `pointer`, with `read`. Fields that `read` does not use are mistakes.
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
                // A lone word is probably the value of the table's first field.
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
        if fields.judged && fields.problems.unknown == Unknown::Refused {
            fields.note_unknown();
        }
        read
    }

    fn new(pointer: &str, table: &'a Map<String, Value>, problems: &'a mut Problems) -> Self {
        let pointer = pointer.to_owned();
        Self { pointer, table, known: Vec::new(), homes: Vec::new(), judged: true, problems }
    }

    /// Records a mistake at the field `name` of this table.
    pub fn wrong(&mut self, name: &str, detail: impl Into<String>) {
        self.problems.add(format!("{}/{}", self.pointer, escaped(name)), detail);
    }

    /// Records a mistake below this table, at a pointer that begins with `/`.
    pub(crate) fn wrong_below(&mut self, pointer: &str, detail: impl Into<String>) {
        self.problems.add(format!("{}{pointer}", self.pointer), detail);
    }

    /// Records a mistake elsewhere in the document.
    pub(crate) fn wrong_at(&mut self, pointer: &str, detail: impl Into<String>) {
        self.problems.add(pointer, detail);
    }

    /// Reads fields of this table whose mistakes do not matter, because others are reported.
    pub(crate) fn unheard<T>(&mut self, read: impl FnOnce(&mut Fields<'_>) -> T) -> T {
        let mut unheard = Problems::default();
        let mut fields = Fields::new(&self.pointer, self.table, &mut unheard);
        let result = read(&mut fields);
        self.known.append(&mut fields.known);
        result
    }

    /// Whether the document was stored, by this version or another one, and not submitted.
    pub(crate) fn is_stored(&self) -> bool {
        self.problems.unknown == Unknown::Ignored
    }

    /// Number of mistakes recorded so far, here or elsewhere.
    pub(crate) fn mistakes(&self) -> usize {
        self.problems.total
    }

    /// Whether the field is present. Null counts as absent, so that a stored spec can be submitted again.
    pub fn has(&mut self, name: &'static str) -> bool {
        self.value(name).is_some()
    }

    /// The unparsed field, if no other reader fits.
    pub fn raw(&mut self, name: &'static str) -> Option<&'a Value> {
        self.value(name)
    }

    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        self.table.get(name).filter(|value| !value.is_null())
    }

    /// A nested table. A table that is left out reads as empty, unless it is `required`: then this is the only mistake,
    /// instead of one per missing field.
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

    /// A table with any keys, each of whose values is a table. One that is left out reads as empty.
    pub(crate) fn tables<T>(
        &mut self,
        name: &'static str,
        mut read: impl FnMut(&mut Fields<'_>) -> T,
    ) -> BTreeMap<String, T> {
        match self.value(name) {
            None => BTreeMap::new(),
            Some(Value::Object(tables)) => {
                let pointer = format!("{}/{name}", self.pointer);
                let mut entry = |(key, value): (&String, &Value)| {
                    let pointer = format!("{pointer}/{}", escaped(key));
                    (key.clone(), Fields::of(value, &pointer, self.problems, &mut read))
                };
                tables.iter().map(&mut entry).collect()
            }
            Some(other) => {
                self.wrong(name, format!("must be a table, is {}", shown(other)));
                BTreeMap::new()
            }
        }
    }

    /// Reads a value in place of the field `name`, such as a merged one.
    pub(crate) fn nested<T>(
        &mut self,
        name: &str,
        value: &Value,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> T {
        Fields::of(value, &format!("{}/{name}", self.pointer), self.problems, read)
    }

    /// Reads a table whose `kind` determines its fields. An invalid `kind` is the table's only mistake, because
    /// the right fields are unknown then.
    pub(crate) fn kind<K: Copy, T>(
        &mut self,
        default: Option<K>,
        kinds: &[(&str, K)],
        read: impl FnOnce(K, &mut Fields<'_>) -> T,
    ) -> T {
        match self.chosen("kind", default, kinds) {
            Some(kind) => read(kind, self),
            None => {
                self.judged = false;
                read(kinds[0].1, &mut Fields::new("", &Map::new(), &mut Problems::default()))
            }
        }
    }

    /// Names the table to which the fields `names` belong, for the message about an unknown field. The last call
    /// counts.
    pub(crate) fn belong(&mut self, names: &'static [&'static str], home: &'static str) {
        self.homes.push((names, home));
    }

    fn note_unknown(&mut self) {
        for name in self.table.keys().filter(|name| !self.known.contains(&name.as_str())) {
            let home = self.homes.iter().rev().find(|(names, _)| names.contains(&name.as_str()));
            let hint = suggestion(name, self.known.iter().copied());
            let detail = match home {
                Some((_, home)) => format!("; it belongs to {home}"),
                None if hint.is_empty() => {
                    format!("; known here: {}", alternatives(self.known.iter().copied()))
                }
                None => hint,
            };
            self.problems
                .add(format!("{}/{}", self.pointer, escaped(name)), format!("unknown field{detail}"));
        }
    }
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
    fn a_word_in_place_of_a_table_is_shown_as_a_table() {
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

    #[test]
    fn a_table_of_an_unknown_kind_has_one_mistake() {
        type Read = fn(&mut Fields<'_>) -> u64;
        let kinds: [(&str, Read); 2] = [
            ("one", |fields| fields.integer("a", None, 1..=9)),
            ("two", |fields| fields.integer("b", None, 1..=9)),
        ];
        let read = |value: Value| {
            let table = |fields: &mut Fields<'_>| fields.kind(None, &kinds, |read, fields| read(fields));
            Fields::read(&value, table).map_err(|problems| problems.to_string())
        };
        assert_eq!(read(json!({ "kind": "two", "b": 3 })), Ok(3));
        let unknown = read(json!({ "kind": "three", "b": 3, "c": 4 }));
        assert_eq!(unknown, Err("/kind: must be `one` or `two`, is \"three\"".to_owned()));
        let missing = read(json!({ "b": 3 }));
        assert_eq!(missing, Err("/kind: is missing: give `one` or `two`".to_owned()));
    }
}
