//! Fields that hold one word of a closed set.

use serde_json::Value;
use strum::VariantArray;

use super::Fields;
use crate::problem::{Problems, alternatives, shown, suggestion};

/// A closed set of words: an enum whose variants strum lists and names.
pub trait Word: Copy + VariantArray + Into<&'static str> {}

impl<T: Copy + VariantArray + Into<&'static str>> Word for T {}

impl Fields<'_> {
    /// A word; required if there is no default.
    pub fn choice<T: Word>(&mut self, name: &'static str, default: Option<T>) -> T {
        self.chosen(name, default, &words()).unwrap_or(T::VARIANTS[0])
    }

    /// The variant of the word at `name`; `None` if it is invalid, or missing without a default, which is recorded.
    pub(crate) fn chosen<T: Copy>(
        &mut self,
        name: &'static str,
        default: Option<T>,
        choices: &[(&str, T)],
    ) -> Option<T> {
        match (self.value(name), default) {
            (Some(value), _) => found(value, choices).map_err(|detail| self.wrong(name, detail)).ok(),
            (None, Some(default)) => Some(default),
            (None, None) => {
                let right = alternatives(choices.iter().map(|(word, _)| *word));
                self.wrong(name, format!("is missing: give {right}"));
                None
            }
        }
    }
}

/// One word of a list; `None` if it is invalid, which is recorded.
pub(crate) fn word_item<T: Word>(value: &Value, pointer: &str, problems: &mut Problems) -> Option<T> {
    found(value, &words()).map_err(|detail| problems.add(pointer, detail)).ok()
}

fn words<T: Word>() -> Vec<(&'static str, T)> {
    T::VARIANTS.iter().map(|&choice| (choice.into(), choice)).collect()
}

/// The variant of the word, or the reason why there is none.
fn found<T: Copy>(value: &Value, choices: &[(&str, T)]) -> Result<T, String> {
    let words = || choices.iter().map(|(word, _)| *word);
    choices.iter().find(|(word, _)| value == word).map(|(_, choice)| *choice).ok_or_else(|| {
        let hint = value.as_str().map_or_else(String::new, |given| suggestion(given, words()));
        format!("must be {}, is {}{hint}", alternatives(words()), shown(value))
    })
}
