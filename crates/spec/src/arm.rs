//! One way of training in an experiment.

use serde::{Deserialize, Serialize};

use crate::fields::Fields;
use crate::method::MethodSpec;
use crate::parts::{Base, Parts, read_parts};
use crate::problem::Problem;
use crate::train::TrainSpec;
use crate::tune::{ArmSource, Space, Tuned, Tuning, read_tuned, written};

/// One way of training in an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Arm {
    /// Unique in the experiment.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Name))]
    pub name: String,
    /// The method of the arm.
    pub method: MethodSpec,
    /// The training of the arm. Fields that the arm does not set are inherited from the experiment's `train`.
    pub train: TrainSpec,
    /// The ranges of a tuned arm, by the paths of the fields. In a written spec, those that it adds to the ranges of
    /// every arm or that replace them; in a resolved spec all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<BTreeMap<String, crate::RangeSpec>>, nullable = false))]
    pub tune: Option<Space>,
    /// `method` and `train` of a tuned arm as they were written, in a resolved spec. The arm's own `method` and `train`
    /// are then those of its first trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub source: Option<ArmSource>,
}

impl Arm {
    pub(crate) fn read(fields: &mut Fields<'_>, base: &Base<'_>, tuning: Option<&Tuning>) -> Self {
        let name = fields.arm_name("name");
        let before = fields.mistakes();
        match tuning {
            Some(tuning) => {
                if let Some(Tuned { space, source, parts: Parts { method, train } }) =
                    read_tuned(fields, base, tuning)
                {
                    // Those of the first trial follow from the source; mistakes in them are mistakes all the same.
                    if fields.has("source") && !fields.is_stored() {
                        read_parts(fields, base);
                    }
                    return Self { name, method, train, tune: Some(space), source: Some(source) };
                }
            }
            None if fields.has("tune") => {
                fields.wrong(
                    "tune",
                    "needs the table `tune` of the experiment, which has the number of `trials`",
                );
            }
            None => {}
        }
        // The fields of a tuned arm with a mistake in its ranges are read for their names only.
        let is_wrong = fields.mistakes() > before;
        written(fields);
        let Parts { method, train } = if is_wrong {
            fields.unheard(|fields| read_parts(fields, base))
        } else {
            read_parts(fields, base)
        };
        Self { name, method, train, tune: None, source: None }
    }

    /// Adds the arm's name to its problems, whose paths count arms from 0.
    pub(crate) fn sign(&self, problems: &mut [Problem]) {
        if !self.name.is_empty() {
            for problem in problems {
                problem.detail.push_str(&format!(" (arm `{}`)", self.name));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{ExperimentSpec, merge};

    fn spec(train: Value, own: Value) -> ExperimentSpec {
        let base = json!({ "epochs": 1, "data": { "name": "digits" } });
        let arms = json!([
            { "name": "as-base", "method": { "kind": "opt", "transform": "cayley" } },
            { "name": "own", "method": { "kind": "opt", "transform": "cayley" }, "train": own },
        ]);
        let spec = json!({ "name": "x", "train": merge(base, &train), "arms": arms });
        ExperimentSpec::from_value(&spec).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn an_arm_inherits_the_fields_that_it_does_not_set() {
        let base =
            json!({ "model": { "kind": "mlp", "hidden": [8] }, "optimizer": { "learning_rate": 0.3 } });
        let spec = spec(base, json!({ "optimizer": { "nesterov": true, "weight_decay": 0.5 }, "steps": 7 }));
        let [as_base, own] = &spec.arms[..] else { panic!("{spec:?}") };
        assert_eq!(as_base.train, spec.train);
        assert_eq!((own.train.epochs, own.train.steps), (None, Some(7)));
        let rates = |arm: &Arm| {
            let MethodSpec::Opt(opt) = &arm.method else { panic!("{arm:?}") };
            [arm.train.optimizer.learning_rate(), opt.learning_rate, opt.weight_decay]
        };
        assert_eq!((rates(as_base), rates(own)), ([0.3, 0.3, 0.0], [0.3, 0.3, 0.5]));
    }

    #[test]
    fn a_spelled_out_arm_reads_back_the_same() {
        let (mlp, cnn) = (json!({ "kind": "mlp", "hidden": [8] }), json!({ "kind": "cnn6", "width": 4 }));
        for (base, own) in [
            (json!({ "model": mlp }), json!({ "steps": 7 })),
            (json!({ "model": mlp, "clip_norm": 0.5 }), json!({ "clip_norm": null, "average_decay": 0.9 })),
            (
                json!({ "model": mlp, "optimizer": { "kind": "adamw" } }),
                json!({ "optimizer": { "kind": "sgd" } }),
            ),
            (json!({ "model": cnn }), json!({ "model": { "widths": [4, 4, 4], "batch_norm": false } })),
            (json!({ "model": cnn, "data": { "name": "mnist" } }), json!({ "model": mlp, "batch_size": 9 })),
            (
                json!({ "model": mlp, "schedule": { "kind": "cosine", "warmup": 0.1 } }),
                json!({ "schedule": { "kind": "step", "milestones": [0.5] }, "evaluate_every": 3 }),
            ),
        ] {
            let read = spec(base, own);
            let spelled_out = serde_json::to_value(&read).unwrap();
            assert_eq!(ExperimentSpec::from_value(&spelled_out).unwrap(), read, "{spelled_out}");
            assert_eq!(ExperimentSpec::from_stored(&spelled_out).unwrap(), read);
            assert_eq!(serde_json::from_value::<ExperimentSpec>(spelled_out).unwrap(), read);
        }
    }
}
