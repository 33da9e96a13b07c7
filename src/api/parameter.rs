//! Types of query parameters. Each defines its bounds once, for validation and for the OpenAPI document.

use std::collections::HashSet;
use std::fmt::Display;
use std::ops::RangeInclusive;

use optlab_spec::schema::whole;
use optlab_spec::{IDENTIFIER_PATTERN, is_identifier};
use serde::Deserialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Array, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::error::ApiError;

/// An integer from `LEAST` to `MOST`; `DEFAULT` if it is left out.
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct Whole<const LEAST: i64, const MOST: i64, const DEFAULT: i64>(i64);

/// The id of a row.
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct Id(i64);

/// Different ids of rows, separated by commas, from one to `MOST`.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Ids<const MOST: usize>(String);

/// A name with the syntax of names in specs.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Name(String);

impl<const LEAST: i64, const MOST: i64, const DEFAULT: i64> Whole<LEAST, MOST, DEFAULT> {
    /// The number, validated as the parameter `name`.
    pub(super) fn read(self, name: &str) -> Result<i64, ApiError> {
        within(name, self.0, LEAST..=MOST)
    }
}

impl<const LEAST: i64, const MOST: i64, const DEFAULT: i64> Default for Whole<LEAST, MOST, DEFAULT> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl Id {
    pub(super) const LEAST: i64 = 1;

    /// The id in the parameter `name`, if it is given.
    pub(super) fn read<T: From<i64>>(given: Option<Self>, name: &str) -> Result<Option<T>, ApiError> {
        let id = given.map(|id| within(name, id.0, Self::LEAST..=i64::MAX)).transpose()?;
        Ok(id.map(T::from))
    }
}

impl<const MOST: usize> Ids<MOST> {
    /// The ids in the parameter `name`, in their order.
    pub(super) fn read<T: From<i64>>(&self, name: &str) -> Result<Vec<T>, ApiError> {
        let ids = self.0.split(',').map(|text| text.parse().ok().filter(|id| *id >= Id::LEAST));
        let Some(ids) = ids.collect::<Option<Vec<i64>>>() else {
            return Err(wrong(name, "be ids separated by commas, such as 1,4"));
        };
        if ids.len() > MOST {
            return Err(wrong(name, format!("have at most {MOST} ids, has {}", ids.len())));
        }
        let mut seen = HashSet::new();
        if let Some(twice) = ids.iter().find(|id| !seen.insert(**id)) {
            return Err(wrong(name, format!("have different ids; {twice} is repeated")));
        }
        Ok(ids.into_iter().map(T::from).collect())
    }
}

impl Name {
    /// The name in the parameter `name`, if it is given.
    pub(super) fn read(given: Option<Self>, name: &str) -> Result<Option<String>, ApiError> {
        match given {
            Some(Self(text)) if !is_identifier(&text) => {
                Err(wrong(name, format!("match {IDENTIFIER_PATTERN}")))
            }
            given => Ok(given.map(|Self(text)| text)),
        }
    }
}

fn within(name: &str, value: i64, range: RangeInclusive<i64>) -> Result<i64, ApiError> {
    let (least, most) = (range.start(), range.end());
    match range.contains(&value) {
        true => Ok(value),
        false => Err(wrong(name, format!("be from {least} to {most}, is {value}"))),
    }
}

fn wrong(name: &str, right: impl Display) -> ApiError {
    ApiError::invalid_parameter(format!("`{name}` must {right}"))
}

impl<const LEAST: i64, const MOST: i64, const DEFAULT: i64> PartialSchema for Whole<LEAST, MOST, DEFAULT> {
    fn schema() -> RefOr<Schema> {
        // `i64::MAX` means no bound.
        let shown = |bound: i64| Some(bound).filter(|bound| *bound < i64::MAX);
        whole(LEAST).maximum(shown(MOST)).default(shown(DEFAULT).map(Into::into)).into()
    }
}

impl PartialSchema for Id {
    fn schema() -> RefOr<Schema> {
        whole(Self::LEAST).into()
    }
}

impl<const MOST: usize> PartialSchema for Ids<MOST> {
    fn schema() -> RefOr<Schema> {
        let ids = Array::builder().items(Id::schema()).min_items(Some(1)).max_items(Some(MOST));
        ids.unique_items(true).into()
    }
}

impl PartialSchema for Name {
    fn schema() -> RefOr<Schema> {
        optlab_spec::schema::Name::schema()
    }
}

impl<const LEAST: i64, const MOST: i64, const DEFAULT: i64> ToSchema for Whole<LEAST, MOST, DEFAULT> {}
impl ToSchema for Id {}
impl<const MOST: usize> ToSchema for Ids<MOST> {}
impl ToSchema for Name {}
