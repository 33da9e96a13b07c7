//! The intervals between checkpoints.

use serde::{Deserialize, Serialize};

use crate::fields::Fields;

/// Number of checkpoints of a job that are kept: the newest, and the one before in case the newest is damaged.
pub const KEPT_CHECKPOINTS: usize = 2;

/// The times at which a checkpoint is due, whichever comes first. Checkpoints do not affect the training, so wall time
/// may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckpointSpec {
    /// Wall time since the last checkpoint or the start of training; `None` if only updates count.
    pub every_seconds: Option<u64>,
    /// Number of updates between checkpoints; `None` if only time counts.
    pub every_steps: Option<u64>,
}

/// Default interval, which limits the cost of an interruption.
const EVERY_SECONDS: u64 = 60;

impl Default for CheckpointSpec {
    fn default() -> Self {
        Self { every_seconds: Some(EVERY_SECONDS), every_steps: None }
    }
}

impl CheckpointSpec {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        let (seconds, steps) = (fields.has("every_seconds"), fields.has("every_steps"));
        let said = Self {
            every_seconds: seconds.then(|| fields.integer("every_seconds", None, 1..=31_536_000)),
            every_steps: steps.then(|| fields.integer("every_steps", None, 1..=100_000_000)),
        };
        if seconds || steps { said } else { Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> CheckpointSpec {
        Fields::read(&value, CheckpointSpec::read).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn a_minute_is_the_default_and_steps_take_its_place() {
        assert_eq!(read(json!({})), CheckpointSpec { every_seconds: Some(60), every_steps: None });
        let steps = read(json!({ "every_steps": 500 }));
        assert_eq!(steps, CheckpointSpec { every_seconds: None, every_steps: Some(500) });
        let both = read(json!({ "every_steps": 500, "every_seconds": 9 }));
        assert_eq!(both, CheckpointSpec { every_seconds: Some(9), every_steps: Some(500) });
        for spec in [steps, both] {
            assert_eq!(read(serde_json::to_value(spec).unwrap()), spec, "what is stored reads the same");
        }
    }

    #[test]
    fn zero_and_infinite_intervals_are_rejected() {
        for (value, name) in [
            (json!({ "every_steps": 0 }), "/every_steps"),
            (json!({ "every_seconds": 0.5 }), "/every_seconds"),
        ] {
            let problems = Fields::read(&value, CheckpointSpec::read).unwrap_err().to_string();
            assert!(problems.starts_with(&format!("{name}: must be a whole number from 1 to")), "{problems}");
        }
    }
}
