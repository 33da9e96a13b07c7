//! Fields that hold a number, a flag, a text or a list.

use std::fmt::Display;
use std::ops::RangeInclusive;

use serde_json::Value;

use super::Fields;
use crate::problem::{Problems, shown};

impl Fields<'_> {
    /// An integer; required if there is no default.
    pub fn integer(&mut self, name: &'static str, default: Option<u64>, range: RangeInclusive<u64>) -> u64 {
        let read = |value: &Value| value.as_u64();
        self.ranged(name, "a whole number", default, range, read)
    }

    /// An integer that may be negative.
    pub fn signed(&mut self, name: &'static str, default: i64, range: RangeInclusive<i64>) -> i64 {
        self.ranged(name, "a whole number", Some(default), range, Value::as_i64)
    }

    /// A finite number; required if there is no default.
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
                _ if value.is_array() => self.wrong(
                    name,
                    format!("must be {right}, is a list; to compare several values, give each one an arm of its own"),
                ),
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
}

/// One integer of a list.
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
