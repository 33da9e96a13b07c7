//! Mistakes in a spec, each with the path of its field and the valid values.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::shorten::shorten;

/// Maximum number of mistakes that are listed.
const MOST_LISTED: usize = 50;
/// Maximum length of a pointer and of a detail, in bytes.
const LONGEST_TEXT: usize = 2000;

/// One mistake in a submitted spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Mistake))]
pub struct Problem {
    /// JSON pointer (RFC 6901) of the field, for example `/train/model/hidden/0`.
    pub pointer: String,
    /// What is wrong and what would be right, one sentence.
    pub detail: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the spec" } else { &self.pointer };
        write!(f, "{place}: {}", self.detail)
    }
}

/// The mistakes that were found, in the order of reading; never empty where it is returned as an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// The first mistakes. If there are more, the last entry says how many.
    pub list: Vec<Problem>,
    /// Number of mistakes, listed or not.
    pub total: usize,
    pub(crate) unknown: Unknown,
}

/// The meaning of an unknown field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// A mistake, in a submission.
    #[default]
    Refused,
    /// A field of another version, in a stored document.
    Ignored,
}

impl Problems {
    /// A list of one.
    pub fn one(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut problems = Self::default();
        problems.add(pointer, detail);
        problems
    }

    pub(crate) fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.total += 1;
        if self.list.len() < MOST_LISTED {
            let (mut pointer, mut detail) = (pointer.into(), detail.into());
            shorten(&mut pointer, LONGEST_TEXT);
            shorten(&mut detail, LONGEST_TEXT);
            self.list.push(Problem { pointer, detail });
        }
    }

    pub(crate) fn ok_or<T>(mut self, value: T) -> Result<T, Self> {
        if self.total == 0 {
            return Ok(value);
        }
        if self.total > MOST_LISTED {
            let detail = format!("mistakes that are not listed: {}", self.total - MOST_LISTED);
            self.list.push(Problem { pointer: String::new(), detail });
        }
        Err(self)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A name as one segment of a JSON pointer.
pub(crate) fn escaped(name: &str) -> String {
    let name: String = name.chars().take(100).collect();
    name.replace('~', "~0").replace('/', "~1")
}

/// Names that other programs use for the same thing.
const SYNONYMS: [(&str, &str); 8] = [
    ("gpu", "cuda"),
    ("lr", "learning_rate"),
    ("wd", "weight_decay"),
    ("bn", "batch_norm"),
    ("batch", "batch_size"),
    ("dataset", "data"),
    ("iterations", "steps"),
    ("network", "model"),
];

/// "; did you mean `x`?" if one of the candidates is close or means the same; otherwise empty.
pub(crate) fn suggestion<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(given, candidates).map_or_else(String::new, |candidate| format!("; did you mean `{candidate}`?"))
}

/// The nearest of the candidates that are close or mean the same.
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = SYNONYMS.iter().find(|(word, _)| *word == given).map_or(given, |(_, ours)| ours);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(given, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// "`a`, `b` or `c`".
pub(crate) fn alternatives<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".to_owned(),
    }
}

/// A value in a message: short, with a recognizable type.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "a table".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// A text in a message.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start:?}... ({} bytes)", text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_gets_a_suggestion_and_another_word_does_not() {
        assert_eq!(suggestion("epoch", ["epochs", "steps"]), "; did you mean `epochs`?");
        assert_eq!(suggestion("learnign_rate", ["learning_rate"]), "; did you mean `learning_rate`?");
        assert_eq!(suggestion("lr", ["kind", "learning_rate"]), "; did you mean `learning_rate`?");
        assert_eq!(suggestion("gpu", ["any", "cpu", "cuda"]), "; did you mean `cuda`?");
        assert_eq!(suggestion("lr", ["epochs"]), "");
        assert_eq!(suggestion("colour", ["epochs", "steps"]), "");
    }

    #[test]
    fn a_long_list_of_long_mistakes_is_shortened_with_a_count() {
        let mut problems = Problems::default();
        for index in 0..9000 {
            problems.add(format!("/seeds/{index}"), "x".repeat(5000));
        }
        let problems = problems.ok_or(()).unwrap_err();
        assert_eq!((problems.list.len(), problems.total), (51, 9000));
        assert!(problems.list[49].detail.ends_with("xxx... (3000 bytes left out)"));
        assert_eq!(problems.list[50].to_string(), "the spec: mistakes that are not listed: 8950");
    }

    #[test]
    fn alternatives_read_as_a_sentence() {
        assert_eq!(alternatives(["a"]), "`a`");
        assert_eq!(alternatives(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
