//! The values that trials may try of one field.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{IntoStaticStr, VariantArray};

use crate::fields::Fields;
use crate::problem::{Problems, shown};

/// Bounds of both ends of a range. The field has bounds of its own.
const ENDS: std::ops::RangeInclusive<f64> = -1e9..=1e9;

/// The values that trials may try of one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum RangeSpec {
    /// Numbers between two ends, which may be tried, too. Those of an integer field are rounded.
    Interval {
        /// Lower end.
        from: f64,
        /// Upper end.
        to: f64,
        /// How points are spread between the ends.
        scale: Scale,
    },
    /// Numbers, words or flags.
    Values {
        /// The values.
        #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 1000))]
        values: Vec<Value>,
    },
}

/// How points are spread over an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Scale {
    /// By their logarithms, for rates and other factors.
    Log,
    /// Evenly.
    Linear,
}

impl RangeSpec {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        if fields.has("values") {
            for name in ["from", "to", "scale"] {
                if fields.has(name) {
                    fields.wrong(name, "cannot be given beside `values`");
                }
            }
            let values = fields.list("values", None, 1..=1000, read_value);
            if let Some((_, twice)) =
                values.iter().enumerate().find(|(at, value)| values[..*at].contains(value))
            {
                let twice = shown(twice);
                fields.wrong("values", format!("must be unique; {twice} is repeated"));
            }
            return Self::Values { values };
        }
        let before = fields.mistakes();
        let (from, to) = (fields.number("from", None, ENDS), fields.number("to", None, ENDS));
        let scale = fields.choice("scale", Some(Scale::Linear));
        if fields.mistakes() == before && from >= to {
            fields
                .wrong("from", format!("must be below `to`, {to}, is {from}; a single value needs no range"));
        } else if fields.mistakes() == before && scale == Scale::Log && from <= 0.0 {
            fields.wrong("from", format!("must be above 0 on a logarithmic scale, is {from}"));
        }
        Self::Interval { from, to, scale }
    }

    /// The values at the ends, at which the field's reader checks the range: each with the name of its place. A list has
    /// all of its values.
    pub(super) fn ends(&self) -> Vec<(String, Value)> {
        match self {
            Self::Interval { from, to, .. } => {
                vec![("from".to_owned(), number(*from)), ("to".to_owned(), number(*to))]
            }
            Self::Values { values } => {
                values.iter().enumerate().map(|(at, value)| (format!("values/{at}"), value.clone())).collect()
            }
        }
    }

    /// The value at the share `at` of the range, from 0 to 1. `whole` rounds it to a whole number.
    pub(super) fn value(&self, at: f64, whole: bool) -> Value {
        match self {
            Self::Values { values } => {
                let place = (at * values.len() as f64) as usize;
                values[place.min(values.len() - 1)].clone()
            }
            Self::Interval { from, to, scale } => {
                let exact = match scale {
                    Scale::Linear => from + at * (to - from),
                    Scale::Log => (from.ln() + at * (to.ln() - from.ln())).exp(),
                };
                let rounded = if whole { exact.round() } else { six_digits(exact) };
                number(rounded.clamp(*from, *to))
            }
        }
    }

    /// The number of values of a list; `None` for an interval.
    pub(super) fn listed(&self) -> Option<u64> {
        match self {
            Self::Interval { .. } => None,
            Self::Values { values } => Some(values.len() as u64),
        }
    }
}

/// So that a value can be typed, and is the same with every implementation of the logarithm.
fn six_digits(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// A number in JSON. Integer fields are read only from numbers without a fraction.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { Value::from(value as i64) } else { Value::from(value) }
}

fn read_value(value: &Value, pointer: &str, problems: &mut Problems) -> Value {
    if !(value.is_number() || value.is_string() || value.is_boolean()) {
        problems.add(pointer, format!("must be a number, a word or a flag, is {}", shown(value)));
    }
    value.clone()
}
