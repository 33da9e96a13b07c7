//! The schedule of the learning rate.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fields::Fields;
use crate::problem::{Problems, shown};

/// A factor of every learning rate: a ramp over the first updates, times a curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScheduleSpec {
    /// The curve after the ramp.
    #[serde(flatten)]
    pub curve: CurveSpec,
    /// Share of the run in [0, 1) over which the rate rises linearly from 0 (Goyal et al., arXiv 1706.02677,
    /// section 2.2). No update has the rate 0, and the first update after the ramp has the full rate.
    pub warmup: f64,
}

/// The factor as a function of the completed share of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CurveSpec {
    /// A constant rate.
    Constant,
    /// The rate times `factor` at each milestone.
    Step {
        /// Shares of the whole run, the ramp included, in (0, 1), ascending.
        milestones: Vec<f64>,
        /// Factor of the rate at each milestone.
        factor: f64,
    },
    /// Half a cosine over the run after the ramp, from the full rate down to `floor` (Loshchilov and Hutter, ICLR 2017,
    /// without restarts).
    Cosine {
        /// The last factor.
        floor: f64,
    },
}

/// Reads the fields of one kind of curve.
type Read = fn(&mut Fields<'_>) -> CurveSpec;

const KINDS: [(&str, Read); 3] = [
    ("constant", CONSTANT),
    ("step", CurveSpec::read_step),
    ("cosine", |fields| CurveSpec::Cosine { floor: fields.number("floor", Some(0.0), 0.0..=1.0) }),
];

/// The default kind of a schedule.
const CONSTANT: Read = |_| CurveSpec::Constant;

impl ScheduleSpec {
    /// The factor for the update that follows `step` of `steps` completed updates.
    pub fn factor(&self, step: u64, steps: u64) -> f64 {
        let ramp = updates(self.warmup, steps);
        let risen = (step + 1) as f64 / (ramp + 1) as f64;
        risen.min(1.0) * self.curve.factor(step, ramp, steps)
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        Self { curve: CurveSpec::read(fields), warmup: fields.number("warmup", Some(0.0), 0.0..=0.99) }
    }
}

impl CurveSpec {
    fn factor(&self, step: u64, ramp: u64, steps: u64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Step { milestones, factor } => {
                let passed = milestones.iter().filter(|&&share| step >= updates(share, steps));
                factor.powi(passed.count() as i32)
            }
            Self::Cosine { floor } => {
                // In a short run, the ramp may be rounded up to the whole run.
                let done = step.saturating_sub(ramp) as f64 / (steps - ramp).max(1) as f64;
                floor + (1.0 - floor) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
        }
    }

    fn read(fields: &mut Fields<'_>) -> Self {
        fields.kind(Some(CONSTANT), &KINDS, |read, fields| read(fields))
    }

    fn read_step(fields: &mut Fields<'_>) -> Self {
        let milestones = fields.list("milestones", None, 1..=100, milestone);
        if milestones.windows(2).any(|pair| pair[0] >= pair[1]) {
            fields.wrong("milestones", "must be ascending");
        }
        Self::Step { milestones, factor: fields.number("factor", Some(0.1), 0.0..=1.0) }
    }
}

/// A share of the run in whole updates, such that a half is the same update despite rounding.
fn updates(share: f64, steps: u64) -> u64 {
    (share * steps as f64).round() as u64
}

fn milestone(value: &Value, pointer: &str, problems: &mut Problems) -> f64 {
    match value.as_f64() {
        Some(share) if share > 0.0 && share < 1.0 => share,
        _ => {
            let is = shown(value);
            problems.add(pointer, format!("must be a share of the run between 0 and 1, is {is}"));
            0.5
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schedule(value: Value) -> ScheduleSpec {
        Fields::read(&value, ScheduleSpec::read).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn milestones_multiply_from_their_own_step_on() {
        let schedule = schedule(json!({ "kind": "step", "milestones": [0.5, 0.75] }));
        let factors = [0, 49, 50, 74, 75, 99].map(|step| schedule.factor(step, 100));
        assert_eq!(factors, [1.0, 1.0, 0.1, 0.1, 0.1f64.powi(2), 0.1f64.powi(2)]);
    }

    #[test]
    fn the_cosine_runs_from_one_to_its_floor() {
        let schedule = schedule(json!({ "kind": "cosine", "floor": 0.2 }));
        assert_eq!(schedule.factor(0, 10), 1.0);
        assert!((schedule.factor(5, 10) - 0.6).abs() < 1e-12);
        assert!((schedule.factor(10, 10) - 0.2).abs() < 1e-12);
    }

    #[test]
    fn the_ramp_rises_linearly_to_the_full_rate_after_it() {
        let schedule = schedule(json!({ "warmup": 0.3 }));
        assert_eq!(
            [0, 1, 2, 3, 4, 9].map(|step| schedule.factor(step, 10)),
            [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
        );
    }

    #[test]
    fn milestones_count_the_ramp_and_the_cosine_begins_after_it() {
        let step = schedule(json!({ "kind": "step", "milestones": [0.5], "warmup": 0.2 }));
        assert_eq!([0, 2, 49, 50].map(|at| step.factor(at, 100)), [1.0 / 21.0, 3.0 / 21.0, 1.0, 0.1]);
        let cosine = schedule(json!({ "kind": "cosine", "warmup": 0.2 }));
        assert_eq!((cosine.factor(0, 100), cosine.factor(20, 100)), (1.0 / 21.0, 1.0));
        assert!((cosine.factor(60, 100) - 0.5).abs() < 1e-12);
        let ramp = schedule(json!({ "kind": "cosine", "warmup": 0.9 }));
        assert_eq!([0, 1, 2].map(|step| ramp.factor(step, 3)), [0.25, 0.5, 0.75]);
    }

    #[test]
    fn the_ramp_is_spelled_out_and_must_leave_something_of_the_run() {
        let stored = serde_json::to_value(schedule(json!({ "kind": "cosine" }))).unwrap();
        assert_eq!(stored, json!({ "kind": "cosine", "floor": 0.0, "warmup": 0.0 }));
        assert_eq!(
            serde_json::from_value::<ScheduleSpec>(stored).unwrap(),
            schedule(json!({ "kind": "cosine" }))
        );
        let problems = Fields::read(&json!({ "warmup": 1 }), ScheduleSpec::read).unwrap_err();
        assert_eq!(problems.to_string(), "/warmup: must be a number from 0 to 0.99, is 1");
    }
}
