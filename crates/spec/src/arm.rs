//! One way of training in an experiment.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fields::Fields;
use crate::merge::merge;
use crate::method::MethodSpec;
use crate::problem::{Problem, shown};
use crate::train::TrainSpec;

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
}

/// The `train` of an experiment, which its arms inherit.
pub(crate) struct Base<'a> {
    pub(crate) train: TrainSpec,
    /// The table as it is written.
    pub(crate) written: Option<&'a Value>,
    /// Whether the table is free of mistakes. Otherwise, arms would repeat them.
    pub(crate) is_sound: bool,
}

impl Arm {
    pub(crate) fn read(fields: &mut Fields<'_>, base: &Base<'_>) -> Self {
        let name = fields.arm_name("name");
        let own = fields.raw("train");
        let train = match own {
            Some(Value::Object(_)) if !base.is_sound => base.train.clone(),
            // In a stored spec every arm is spelled out, and most are equal to the base, which need not be read again.
            Some(own) if base.written == Some(own) => base.train.clone(),
            Some(own @ Value::Object(_)) => {
                let inherited = serde_json::to_value(&base.train).expect("a spec is JSON");
                fields.nested("train", &merge(inherited, own), TrainSpec::read)
            }
            Some(other) => {
                fields.wrong("train", format!("must be a table of fields of `train`, is {}", shown(other)));
                base.train.clone()
            }
            None => base.train.clone(),
        };
        let example = "{ kind = \"opt\", transform = \"cayley\" }";
        let method = fields.table("method", Some(example), |method| MethodSpec::read(method, &train));
        Self { name, method, train }
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
    use serde_json::json;

    use super::*;
    use crate::ExperimentSpec;

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
