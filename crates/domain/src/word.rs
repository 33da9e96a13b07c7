//! Closed sets of words and their text forms.

use std::fmt::Display;
use std::str::FromStr;

use strum::VariantArray;

/// Declares enums whose variants are words in snake case: the same in JSON, in the OpenAPI document, in `Display` and
/// in `FromStr`. They are ordered as they are declared.
macro_rules! words {
    ($($words:item)+) => {
        $(
            #[derive(
                Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
                strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
            )]
            #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
            #[serde(rename_all = "snake_case")]
            #[strum(serialize_all = "snake_case")]
            $words
        )+
    };
}
pub(crate) use words;

/// Parses one word of a closed set.
///
/// # Errors
/// `must be one of a, b, c` for any other text.
pub fn parse_word<T>(text: &str) -> Result<T, String>
where
    T: VariantArray + FromStr + Copy + Into<&'static str>,
{
    text.parse().map_err(|_| {
        let words: Vec<&str> = T::VARIANTS.iter().map(|&word| word.into()).collect();
        format!("must be one of {}", words.join(", "))
    })
}

/// `1 job`, `3 jobs`: a number with a noun whose plural ends in s.
pub fn counted<T: Display + PartialEq + From<u8>>(number: T, noun: &str) -> String {
    let ending = if number == T::from(1) { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::{
        ArtifactKind, DeviceKind, EndReason, Engine, Hold, JobState, Metric, Phase, PilotState, Request,
        Scope, Standing, WantedDevice, WarningKind,
    };

    fn has_one_word<T>()
    where
        T: VariantArray + Copy + Debug + Display + FromStr + PartialEq,
        T: Serialize + for<'d> Deserialize<'d>,
    {
        for &word in T::VARIANTS {
            let text = word.to_string();
            assert_eq!(text.parse().ok(), Some(word));
            assert_eq!(serde_json::to_string(&word).unwrap(), format!("{text:?}"));
        }
    }

    #[test]
    fn words_are_equal_in_the_database_and_in_json() {
        has_one_word::<JobState>();
        has_one_word::<EndReason>();
        has_one_word::<Request>();
        has_one_word::<Phase>();
        has_one_word::<Hold>();
        has_one_word::<ArtifactKind>();
        has_one_word::<Metric>();
        has_one_word::<Scope>();
        has_one_word::<Standing>();
        has_one_word::<WarningKind>();
        has_one_word::<DeviceKind>();
        has_one_word::<WantedDevice>();
        has_one_word::<Engine>();
        has_one_word::<PilotState>();
    }

    #[test]
    fn one_thing_is_no_plural() {
        let jobs = [0, 1, 2].map(|number: i64| counted(number, "job"));
        assert_eq!(jobs, ["0 jobs", "1 job", "2 jobs"]);
    }

    #[test]
    fn another_word_is_rejected_with_the_valid_ones() {
        assert_eq!(parse_word("energy"), Ok(Metric::Energy));
        assert_eq!(parse_word::<Scope>("admin"), Err("must be one of read, write".to_owned()));
    }
}
