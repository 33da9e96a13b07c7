//! The numbers by which the database knows things. Each is a type of its own, so that none passes for another.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

/// Declares numbers that are the same in JSON, in the database and as text.
macro_rules! numbers {
    ($($(#[$about:meta])+ $number:ident)+) => {
        $(
            $(#[$about])+
            #[derive(
                Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
            )]
            #[serde(transparent)]
            pub struct $number(i64);

            impl From<i64> for $number {
                fn from(number: i64) -> Self {
                    Self(number)
                }
            }

            impl From<$number> for i64 {
                fn from(number: $number) -> Self {
                    number.0
                }
            }

            impl fmt::Display for $number {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }

            impl FromStr for $number {
                type Err = ParseIntError;

                fn from_str(text: &str) -> Result<Self, ParseIntError> {
                    text.parse().map(Self)
                }
            }
        )+
    };
}

numbers! {
    /// Id of an experiment.
    ExperimentId
    /// Id of a job.
    JobId
    /// Id of a worker.
    WorkerId
    /// Id of an access token.
    TokenId
    /// Number of an attempt at a job, from 1. A job without attempts has the number 0.
    AttemptNumber
}

impl AttemptNumber {
    /// Of a job without attempts.
    pub const NONE: Self = Self(0);
    /// Of the first attempt at a job.
    pub const FIRST: Self = Self(1);

    /// The number of the attempt after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_in_json_and_as_text() {
        let id = JobId::from(7);
        assert_eq!(serde_json::to_string(&[id]).unwrap(), "[7]");
        assert_eq!(serde_json::from_str::<JobId>("7").unwrap(), id);
        assert_eq!((id.to_string(), format!("{id:>3}")), ("7".to_owned(), "  7".to_owned()));
        assert_eq!("7".parse(), Ok(id));
        assert!("7a".parse::<JobId>().is_err());
    }

    #[test]
    fn attempts_count_from_one() {
        assert_eq!(AttemptNumber::NONE.next(), AttemptNumber::FIRST);
    }
}
