//! Columns of an answer: numbers and booleans unchanged, all other types as Postgres's text.

use serde_json::{Value, json};
use sqlx::postgres::{PgColumn, PgRow};
use sqlx::{Column, Row, TypeInfo};

use super::super::answer::{LARGEST_ANSWER, MOST_COLUMNS, ONLY_QUERIES, real};
use super::ReadError;
use crate::store::QueryError;

/// The columns of a query.
pub(super) struct Columns(Vec<(String, Kind)>);

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Integer,
    Real,
    /// A number with any number of digits; in JSON, as many as a float has.
    Numeric,
    Bool,
    Bytes,
    Text,
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "INT2" | "INT4" | "INT8" => Self::Integer,
            "FLOAT4" | "FLOAT8" => Self::Real,
            "NUMERIC" => Self::Numeric,
            "BOOL" => Self::Bool,
            "BYTEA" => Self::Bytes,
            _ => Self::Text,
        }
    }

    /// Converts the column in the database.
    fn converted(self, column: &str) -> String {
        match self {
            Self::Integer => format!("{column}::INT8"),
            Self::Real => format!("{column}::FLOAT8"),
            Self::Bool => column.to_owned(),
            Self::Bytes => format!("encode({column}, 'hex')"),
            Self::Numeric | Self::Text => format!("{column}::TEXT"),
        }
    }

    fn has_a_size(self) -> bool {
        matches!(self, Self::Bytes | Self::Text | Self::Numeric)
    }
}

impl Columns {
    /// # Errors
    /// [`QueryError::Refused`] for no columns, or too many.
    pub(super) fn of(columns: &[PgColumn]) -> Result<Self, QueryError> {
        match columns.len() {
            0 => Err(QueryError::refused(ONLY_QUERIES)),
            1..=MOST_COLUMNS => {
                let kind = |column: &PgColumn| Kind::of(column.type_info().name());
                Ok(Self(columns.iter().map(|column| (column.name().to_owned(), kind(column))).collect()))
            }
            _ => Err(QueryError::too_many_columns()),
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The query that returns the first rows of `statement` with their sizes. Of a row above the maximum size of an
    /// answer, only the size leaves the database. The columns are renamed, because the names in a statement may repeat.
    pub(super) fn select_from(&self, statement: &str, rows: usize) -> String {
        let list = |between: &str, item: &dyn Fn(String, Kind) -> String| {
            let items = self.0.iter().enumerate().map(|(index, (_, kind))| item(format!("c{index}"), *kind));
            items.collect::<Vec<_>>().join(between)
        };
        let names = list(", ", &|name, _| name);
        let converted = list(", ", &|name, kind| format!("{} AS {name}", kind.converted(&name)));
        let fitting = list(", ", &|name, kind| match kind.has_a_size() {
            true => format!("CASE WHEN size <= {LARGEST_ANSWER} THEN {name} END"),
            false => name,
        });
        let size = list(" + ", &|name, kind| match kind.has_a_size() {
            true => format!("coalesce(octet_length({name}), 0)::INT8"),
            false => "0::INT8".to_owned(),
        });
        // OFFSET 0 keeps Postgres from computing a column again for every use. The line breaks end comments.
        format!(
            "SELECT {fitting}, size FROM (
                SELECT *, {size} AS size FROM (
                    SELECT {converted} FROM (\n{statement}\n) AS answer ({names}) LIMIT {rows}
                ) AS converted OFFSET 0
            ) AS sized"
        )
    }

    /// Whether the row alone exceeds the maximum size of an answer.
    pub(super) fn is_too_large(&self, row: &PgRow) -> Result<bool, sqlx::Error> {
        let size: i64 = row.try_get(self.0.len())?;
        Ok(size > LARGEST_ANSWER as i64)
    }

    /// The values of a row that is not too large.
    pub(super) fn values(&self, row: &PgRow) -> impl Iterator<Item = Result<Value, ReadError>> {
        let value = move |(index, (_, kind)): (usize, &(String, Kind))| -> Result<Value, ReadError> {
            let text = || row.try_get::<Option<&str>, _>(index);
            Ok(match kind {
                Kind::Integer => row.try_get::<Option<i64>, _>(index)?.into(),
                Kind::Real => row.try_get::<Option<f64>, _>(index)?.map_or(Value::Null, real),
                Kind::Bool => row.try_get::<Option<bool>, _>(index)?.into(),
                Kind::Numeric => text()?.map_or(Value::Null, number),
                Kind::Bytes => text()?.map_or(Value::Null, |hex| json!({ "hex": hex })),
                Kind::Text => text()?.into(),
            })
        };
        self.0.iter().enumerate().map(value)
    }
}

/// A number of Postgres's `numeric`, as a text if it is too large for a float.
fn number(digits: &str) -> Value {
    match (digits.parse::<i64>(), digits.parse::<f64>()) {
        (Ok(whole), _) => whole.into(),
        (_, Ok(value)) if value.is_finite() => real(value),
        _ => digits.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_is_an_integer_or_a_float() {
        for (digits, value) in [
            ("-3", json!(-3)),
            ("9007199254740993", json!(9_007_199_254_740_993_i64)),
            ("0.10", json!(0.1)),
            ("92233720368547758070", json!(9.223372036854776e19)),
            ("1000000000000000000000", json!(1e21)),
            ("NaN", json!("NaN")),
            ("-Infinity", json!("-Infinity")),
        ] {
            assert_eq!(number(digits), value, "{digits}");
        }
        let large = "9".repeat(400);
        assert_eq!(number(&large), json!(large));
    }
}
