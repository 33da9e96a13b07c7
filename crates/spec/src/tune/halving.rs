//! Successive halving: the trials of an arm that are behind at a rung are stopped there (Jamieson and Talwalkar 2016,
//! "Non-stochastic Best Arm Identification and Hyperparameter Optimization"). Arms do not compete with each other, because
//! methods learn at different speeds.

use serde::{Deserialize, Serialize};

use crate::fields::Fields;
use crate::problem::{Problems, shown};
use crate::train::TrainSpec;

/// Early stopping of the trials of an arm. At each rung, every trial waits until all have come so far; the best go on
/// with the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = HalvingSpec))]
pub struct Halving {
    /// Shares of the updates of a run, ascending. A rung is at the first evaluation from there on.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 10))]
    pub rungs: Vec<f64>,
    /// Share of the trials that go on, rounded up, between 0 and 1.
    pub keep: f64,
}

impl Halving {
    pub(crate) const MOST_RUNGS: usize = 10;

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let rungs = fields.list("rungs", None, 1..=Self::MOST_RUNGS, share_item);
        if !rungs.is_sorted_by(|one, next| one < next) {
            fields.wrong("rungs", "must ascend");
        }
        let keep = fields.number("keep", Some(0.5), 0.0..=1.0);
        if keep <= 0.0 || keep >= 1.0 {
            fields.wrong("keep", format!("must be between 0 and 1, is {keep}"));
        }
        Self { rungs, keep }
    }

    /// Completed updates of a run at each rung.
    pub fn steps(&self, train: &TrainSpec) -> Vec<u64> {
        let (steps, every) = (train.total_steps(), train.evaluate_every_steps());
        let after = |share: &f64| ceil(share * steps as f64).max(1);
        let at = |share: &f64| after(share).next_multiple_of(every).min(steps);
        self.rungs.iter().map(at).collect()
    }

    /// The number of trials that go on, of those that were to reach a rung.
    pub fn kept(&self, trials: usize) -> usize {
        ceil(self.keep * trials as f64).max(1) as usize
    }

    /// Mean number of updates that a run of `steps` updates, one of `trials`, still makes after its first `step`, when it has
    /// passed `rungs_passed` rungs. Some are stopped at later rungs.
    pub fn expected_updates(&self, trials: usize, steps: u64, step: u64, rungs_passed: usize) -> f64 {
        let here = (0..rungs_passed).fold(trials, |trials, _| self.kept(trials));
        let (mut at, mut left, mut updates) = (step as f64, here, 0.0);
        for share in self.rungs.iter().skip(rungs_passed) {
            let rung = at.max(share * steps as f64);
            updates += left as f64 * (rung - at);
            (at, left) = (rung, self.kept(left));
        }
        updates += left as f64 * (steps as f64 - at).max(0.0);
        updates / here as f64
    }

    /// # Errors
    /// The rungs that are not at evaluations of their own before the end of the run.
    pub(crate) fn check(&self, train: &TrainSpec) -> Result<(), String> {
        let (steps, total) = (self.steps(train), train.total_steps());
        if let Some(late) = steps.iter().position(|&step| step >= total) {
            return Err(format!(
                "must be at evaluations before the end; after {} of the run, the next one is at its last step, {total}",
                self.rungs[late]
            ));
        }
        match steps.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("must be at different evaluations; two are at step {}", pair[0])),
            None => Ok(()),
        }
    }
}

/// Rounded up, but a product such as 0.55 * 100 that is a little above a whole number is that number.
fn ceil(product: f64) -> u64 {
    (product - 1e-9).ceil() as u64
}

fn share_item(value: &serde_json::Value, pointer: &str, problems: &mut Problems) -> f64 {
    match value.as_f64() {
        Some(share) if share > 0.0 && share < 1.0 => share,
        _ => {
            problems.add(pointer, format!("must be a number between 0 and 1, is {}", shown(value)));
            0.5
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::experiment::ExperimentSpec;

    fn train(evaluate_every: u64) -> Value {
        json!({
            "steps": 100, "evaluate_every": evaluate_every, "data": { "name": "digits", "validation": 0.2 },
            "model": { "kind": "mlp", "hidden": [8] }, "optimizer": { "kind": "sgd" },
        })
    }

    fn read(halving: Value) -> Result<ExperimentSpec, String> {
        let spec = json!({
            "name": "x",
            "train": train(10),
            "tune": {
                "trials": 4, "halving": halving,
                "space": { "optimizer.learning_rate": { "from": 0.1, "to": 1.0 } },
            },
            "arms": [{ "name": "plain", "method": { "kind": "baseline" } }],
        });
        ExperimentSpec::from_value(&spec).map_err(|problems| problems.to_string())
    }

    #[test]
    fn rungs_are_at_the_next_evaluations_and_only_trials_have_them() {
        let spec = read(json!({ "rungs": [0.01, 0.2, 0.41] })).unwrap();
        let trial = spec.trial(&spec.arms[0], 1).unwrap();
        assert_eq!(trial.rungs, [10, 20, 50]);
        assert!(trial.confirm(7).rungs.is_empty());
        let stored = ExperimentSpec::from_stored(&serde_json::to_value(&spec).unwrap()).unwrap();
        assert_eq!(stored.jobs(), spec.jobs());
        let halving = stored.tune.and_then(|tune| tune.halving).unwrap();
        assert_eq!([1, 2, 5, 10].map(|trials| halving.kept(trials)), [1, 1, 3, 5]);
    }

    #[test]
    fn a_share_that_is_a_whole_number_is_not_rounded_up() {
        let spec = read(json!({ "rungs": [0.5], "keep": 0.1 })).unwrap();
        let halving = spec.tune.and_then(|tune| tune.halving).unwrap();
        assert_eq!([1, 10, 11, 30].map(|trials| halving.kept(trials)), [1, 1, 2, 3]);
        let spec = read(json!({ "rungs": [0.1, 0.7] })).unwrap();
        assert_eq!(spec.trial(&spec.arms[0], 0).unwrap().rungs, [10, 70]);
    }

    #[test]
    fn trials_that_stop_at_later_rungs_are_expected_to_make_fewer_updates() {
        let spec = read(json!({ "rungs": [0.2, 0.5], "keep": 0.5 })).unwrap();
        let halving = spec.tune.as_ref().unwrap().halving.as_ref().unwrap();
        let after = |step, passed| halving.expected_updates(4, 100, step, passed);
        // All four come to 20, two of them to 50, one to 100.
        assert_eq!(after(0, 0), 20.0 + 0.5 * 30.0 + 0.25 * 50.0);
        assert_eq!((after(20, 0), after(20, 1)), (27.5, 55.0), "one waits at its rung, the other goes on");
        assert_eq!((after(30, 1), after(60, 2), after(100, 2)), (45.0, 40.0, 0.0));
        // Of three trials, two go on and then one; the only trial is never stopped.
        assert_eq!(halving.expected_updates(3, 100, 0, 0), 20.0 + (2.0 * 30.0 + 50.0) / 3.0);
        assert_eq!(halving.expected_updates(1, 100, 0, 0), 100.0);
        // Four trials with two seeds each, and the confirming jobs.
        let confirming = spec.seeds.len() as f64 * 100.0;
        assert_eq!(spec.expected_updates(&spec.arms[0]), 8.0 * after(0, 0) + confirming);
    }

    #[test]
    fn every_trial_must_reach_its_rungs_before_its_end() {
        let spec = json!({
            "name": "x",
            "train": train(40),
            "tune": {
                "trials": 2, "sampler": "grid", "halving": { "rungs": [0.5] },
                "space": { "steps": { "values": [100, 40] } },
            },
            "arms": [{ "name": "plain", "method": { "kind": "baseline" } }],
        });
        let problems = ExperimentSpec::from_value(&spec).unwrap_err().to_string();
        assert!(problems.contains("the next one is at its last step, 40 (arm `plain`)"), "{problems}");
    }

    #[test]
    fn mistakes_are_rejected_with_their_path() {
        for (halving, says) in [
            (json!({}), "/tune/halving/rungs: is missing"),
            (json!({ "rungs": [] }), "/tune/halving/rungs: must be a list of 1 to 10 entries"),
            (json!({ "rungs": [0.5, 1] }), "/tune/halving/rungs/1: must be a number between 0 and 1, is 1"),
            (json!({ "rungs": [0.5, 0.2] }), "/tune/halving/rungs: must ascend"),
            (json!({ "rungs": [0.5], "keep": 1 }), "/tune/halving/keep: must be between 0 and 1, is 1"),
            (
                json!({ "rungs": [0.41, 0.45] }),
                "must be at different evaluations; two are at step 50 (arm `plain`)",
            ),
            (
                json!({ "rungs": [0.95] }),
                "after 0.95 of the run, the next one is at its last step, 100 (arm `plain`)",
            ),
            (json!({ "rungs": [0.5], "keep": 0 }), "/tune/halving/keep: must be between 0 and 1, is 0"),
            (json!({ "rung": [0.5] }), "/tune/halving/rung: unknown field"),
        ] {
            let problems = read(halving).unwrap_err();
            assert!(problems.contains(says), "{problems}");
        }
    }
}
