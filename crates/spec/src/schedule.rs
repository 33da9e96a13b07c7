//! How the learning rate changes over a run.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fields::{Fields, shown};
use crate::problem::Problems;

/// A factor on every learning rate, as a function of the share of the run that is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScheduleSpec {
    /// The same rate throughout.
    Constant,
    /// The rate times `factor` at each milestone.
    Step {
        /// Shares of the run in (0, 1), ascending.
        milestones: Vec<f64>,
        /// What each milestone multiplies the rate with.
        factor: f64,
    },
    /// Half a cosine from the full rate down to `floor` (Loshchilov and Hutter, ICLR 2017, without restarts).
    Cosine {
        /// The last factor.
        floor: f64,
    },
}

impl ScheduleSpec {
    /// The factor for the update that follows `step` of `steps` completed updates.
    pub fn factor(&self, step: u64, steps: u64) -> f64 {
        let done = step as f64 / steps as f64;
        match self {
            Self::Constant => 1.0,
            Self::Step { milestones, factor } => {
                // Compared in steps, so that a milestone of 0.5 falls on the same step whatever the rounding.
                let passed =
                    milestones.iter().filter(|&&share| step >= (share * steps as f64).round() as u64);
                factor.powi(passed.count() as i32)
            }
            Self::Cosine { floor } => {
                floor + (1.0 - floor) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
        }
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        let kinds = [("constant", "constant"), ("step", "step"), ("cosine", "cosine")];
        match fields.choice("kind", Some("constant"), &kinds) {
            "step" => {
                let milestones = fields.list("milestones", None, 1..=100, milestone);
                if milestones.windows(2).any(|pair| pair[0] >= pair[1]) {
                    fields.wrong("milestones", "must be ascending");
                }
                Self::Step { milestones, factor: fields.number("factor", Some(0.1), 0.0..=1.0) }
            }
            "cosine" => Self::Cosine { floor: fields.number("floor", Some(0.0), 0.0..=1.0) },
            _ => Self::Constant,
        }
    }
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
    use super::*;

    #[test]
    fn milestones_multiply_from_their_own_step_on() {
        let schedule = ScheduleSpec::Step { milestones: vec![0.5, 0.75], factor: 0.1 };
        let factors: Vec<f64> = [0, 49, 50, 74, 75, 99].map(|step| schedule.factor(step, 100)).to_vec();
        assert_eq!(factors, [1.0, 1.0, 0.1, 0.1, 0.1f64.powi(2), 0.1f64.powi(2)]);
    }

    #[test]
    fn the_cosine_runs_from_one_to_its_floor() {
        let schedule = ScheduleSpec::Cosine { floor: 0.2 };
        assert_eq!(schedule.factor(0, 10), 1.0);
        assert!((schedule.factor(5, 10) - 0.6).abs() < 1e-12);
        assert!((schedule.factor(10, 10) - 0.2).abs() < 1e-12);
    }
}
