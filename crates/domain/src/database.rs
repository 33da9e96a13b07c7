//! Reading words, numbers and JSON from the columns of a database.

use std::ops::{Deref, DerefMut};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{
    ArtifactKind, AttemptNumber, DeviceKind, EndReason, Engine, ExperimentId, Hold, JobId, JobState, Phase,
    Request, Scope, TokenId, WorkerId,
};

#[doc(hidden)]
pub use sqlx;

/// Implements reading from a text column for types that implement `FromStr`.
#[macro_export]
macro_rules! decode_words {
    ($($word:ty),+) => {
        $(
            impl<DB: $crate::database::sqlx::Database> $crate::database::sqlx::Type<DB> for $word
            where
                str: $crate::database::sqlx::Type<DB>,
            {
                fn type_info() -> DB::TypeInfo {
                    <str as $crate::database::sqlx::Type<DB>>::type_info()
                }

                fn compatible(ty: &DB::TypeInfo) -> bool {
                    <str as $crate::database::sqlx::Type<DB>>::compatible(ty)
                }
            }

            impl<'r, DB: $crate::database::sqlx::Database> $crate::database::sqlx::Decode<'r, DB> for $word
            where
                &'r str: $crate::database::sqlx::Decode<'r, DB>,
            {
                fn decode(value: DB::ValueRef<'r>) -> Result<Self, $crate::database::sqlx::error::BoxDynError> {
                    let word = <&str as $crate::database::sqlx::Decode<DB>>::decode(value)?;
                    word.parse().map_err(|_| {
                        format!("unknown value {word:?}; the row may come from another version of optlab").into()
                    })
                }
            }
        )+
    };
}

decode_words!(JobState, EndReason, Request, Phase, Hold, ArtifactKind, Scope, DeviceKind, Engine);

/// Implements reading from a column of integers.
macro_rules! decode_numbers {
    ($($number:ty),+) => {
        $(
            impl<DB: sqlx::Database> sqlx::Type<DB> for $number
            where
                i64: sqlx::Type<DB>,
            {
                fn type_info() -> DB::TypeInfo {
                    <i64 as sqlx::Type<DB>>::type_info()
                }

                fn compatible(ty: &DB::TypeInfo) -> bool {
                    <i64 as sqlx::Type<DB>>::compatible(ty)
                }
            }

            impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for $number
            where
                i64: sqlx::Decode<'r, DB>,
            {
                fn decode(value: DB::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                    Ok(<i64 as sqlx::Decode<DB>>::decode(value)?.into())
                }
            }
        )+
    };
}

decode_numbers!(ExperimentId, JobId, WorkerId, TokenId, AttemptNumber);

/// JSON in a text column. In other JSON it is nested as JSON, not as text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JsonText<T>(pub T);

impl<T, DB: sqlx::Database> sqlx::Type<DB> for JsonText<T>
where
    str: sqlx::Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <str as sqlx::Type<DB>>::type_info()
    }

    fn compatible(ty: &DB::TypeInfo) -> bool {
        <str as sqlx::Type<DB>>::compatible(ty)
    }
}

impl<'r, T: DeserializeOwned, DB: sqlx::Database> sqlx::Decode<'r, DB> for JsonText<T>
where
    &'r str: sqlx::Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        Ok(Self(serde_json::from_str(<&str as sqlx::Decode<DB>>::decode(value)?)?))
    }
}

impl<T> Deref for JsonText<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for JsonText<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
