//! Columns whose text is the word of an enum in `optlab_domain`.

use std::str::FromStr;

use optlab_domain::{EndReason, JobState, Request};
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Type};

use super::statement::Value;

/// The enum that a column's text stands for.
#[derive(Clone, Copy)]
pub(in crate::store) struct Word<T>(pub(in crate::store) T);

impl<DB: Database, T> Type<DB> for Word<T>
where
    str: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <str as Type<DB>>::type_info()
    }

    fn compatible(ty: &DB::TypeInfo) -> bool {
        <str as Type<DB>>::compatible(ty)
    }
}

impl<'r, DB: Database, T: FromStr> Decode<'r, DB> for Word<T>
where
    &'r str: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let word = <&str as Decode<DB>>::decode(value)?;
        word.parse().map(Self).map_err(|_| {
            format!("unknown value {word:?}; the row may come from another version of optlab").into()
        })
    }
}

macro_rules! bind_as_text {
    ($($word:ty),+) => {
        $(
            impl From<$word> for Value {
                fn from(word: $word) -> Self {
                    <&str>::from(word).into()
                }
            }

            impl From<Option<$word>> for Value {
                fn from(word: Option<$word>) -> Self {
                    word.map(<&str>::from).into()
                }
            }
        )+
    };
}

bind_as_text!(JobState, EndReason, Request);
