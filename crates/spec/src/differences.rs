//! The fields in which arms differ, of one experiment or of several.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::arm::Arm;
use crate::experiment::ExperimentSpec;

/// A field that differs between arms.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldDifference {
    /// Its path in a job's spec, such as `/method/kind` and `/train/optimizer/learning_rate`, or in the experiment's:
    /// `/seeds`, `/max_attempts` and `/time_limit_seconds`.
    pub pointer: String,
    /// Its value in each arm that has it, by the arm's name; null if it is off. Lists are shown whole.
    pub values: Map<String, Value>,
}

/// An arm among others, which may belong to other experiments.
#[derive(Clone, Debug)]
pub struct ComparedArm<'a> {
    /// Its name among the others.
    pub name: String,
    /// The arm.
    pub arm: &'a Arm,
    /// The experiment that it belongs to.
    pub experiment: &'a ExperimentSpec,
}

/// Rates of rotations. A method without rotations trains the same layers at the optimizer's rate of the same name.
pub(crate) const RATES: [&str; 2] = ["learning_rate", "weight_decay"];

/// Every resolved field in which the arms differ, in alphabetical order, including defaults and fields of only one
/// method. Names, notes, tags, priorities and the choice of a baseline do not change what a job computes and are left
/// out.
pub fn differences(arms: &[ComparedArm<'_>]) -> Vec<FieldDifference> {
    let arms: Vec<(&str, Map<String, Value>)> =
        arms.iter().map(|arm| (arm.name.as_str(), fields(arm))).collect();
    let pointers: BTreeSet<&String> = arms.iter().flat_map(|(_, fields)| fields.keys()).collect();
    let value = |arm: &(&str, Map<String, Value>), pointer: &String| {
        arm.1.get(pointer).filter(|value| !value.is_null()).cloned()
    };
    let differs = |pointer: &&String| arms.iter().any(|arm| value(arm, pointer) != value(&arms[0], pointer));
    let of_arms = |pointer: &String| {
        let value = |(name, fields): &(&str, Map<String, Value>)| {
            Some(((*name).to_owned(), fields.get(pointer)?.clone()))
        };
        FieldDifference { pointer: pointer.clone(), values: arms.iter().filter_map(value).collect() }
    };
    pointers.into_iter().filter(differs).map(of_arms).collect()
}

/// Every field of the arm that is not a table, by its pointer.
fn fields(ComparedArm { arm, experiment, .. }: &ComparedArm<'_>) -> Map<String, Value> {
    let mut fields = Map::new();
    let whole = json!({
        "method": arm.method,
        "train": arm.train,
        "resources": experiment.resources,
        "checkpoint": experiment.checkpoint,
        "seeds": experiment.seeds,
        "max_attempts": experiment.max_attempts,
        "time_limit_seconds": experiment.time_limit_seconds,
    });
    flatten("", &whole, &mut fields);
    for rate in RATES {
        if let Some(of_optimizer) = fields.get(&format!("/train/optimizer/{rate}")).cloned() {
            fields.entry(format!("/method/{rate}")).or_insert(of_optimizer);
        }
    }
    fields
}

fn flatten(pointer: &str, value: &Value, fields: &mut Map<String, Value>) {
    match value {
        Value::Object(table) => {
            table.iter().for_each(|(name, value)| flatten(&format!("{pointer}/{name}"), value, fields));
        }
        leaf => {
            fields.insert(pointer.to_owned(), leaf.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(arms: Value) -> ExperimentSpec {
        let model = json!({ "kind": "mlp", "hidden": [8] });
        let train = json!({ "epochs": 1, "data": { "name": "digits" }, "model": model });
        ExperimentSpec::from_value(&json!({ "name": "x", "train": train, "arms": arms })).unwrap()
    }

    /// The differences between the arms of all experiments, each arm under its own name after the prefix of its
    /// experiment.
    fn between(experiments: &[(&str, &ExperimentSpec)]) -> Value {
        let arms = experiments.iter().flat_map(|(prefix, experiment)| {
            let name = move |arm: &Arm| format!("{prefix}{}", arm.name);
            experiment.arms.iter().map(move |arm| ComparedArm { name: name(arm), arm, experiment })
        });
        let differences = super::differences(&arms.collect::<Vec<_>>()).into_iter();
        Value::Object(differences.map(|field| (field.pointer, Value::Object(field.values))).collect())
    }

    fn differences(spec: &ExperimentSpec) -> Value {
        between(&[("", spec)])
    }

    #[test]
    fn different_and_unique_fields_are_listed() {
        let spec = spec(json!([
            { "name": "plain", "method": { "kind": "baseline" } },
            { "name": "wide", "method": { "kind": "baseline" }, "train": { "model": { "hidden": [8, 4] }, "clip_norm": 1 } },
            { "name": "mhe", "method": { "kind": "mhe", "weight": 2.0 } },
        ]));
        assert_eq!(
            differences(&spec),
            json!({
                "/method/half_space": { "mhe": false },
                "/method/init": { "plain": "gaussian", "wide": "gaussian" },
                "/method/kind": { "plain": "baseline", "wide": "baseline", "mhe": "mhe" },
                "/method/power": { "mhe": 1 },
                "/method/weight": { "mhe": 2.0 },
                "/train/clip_norm": { "plain": null, "wide": 1.0, "mhe": null },
                "/train/model/hidden": { "plain": [8], "wide": [8, 4], "mhe": [8] },
            })
        );
        let alone = ExperimentSpec { arms: spec.arms[..1].to_vec(), ..spec };
        assert_eq!(differences(&alone), json!({}));
    }

    #[test]
    fn a_field_that_only_one_transform_has_is_listed() {
        let opt = |more: Value| crate::merge(json!({ "kind": "opt", "transform": "cayley" }), &more);
        let spec = spec(json!([
            { "name": "cayley", "method": opt(json!({})) },
            { "name": "relaxed", "method": opt(json!({ "transform": "relaxed", "beta": 0.2 })) },
            { "name": "stochastic", "method": opt(json!({ "stochastic": { "inner_steps": 3 } })) },
        ]));
        assert_eq!(
            differences(&spec),
            json!({
                "/method/beta": { "relaxed": 0.2 },
                "/method/stochastic/fraction": { "stochastic": 0.25 },
                "/method/stochastic/inner_steps": { "stochastic": 3 },
                "/method/transform": { "cayley": "cayley", "relaxed": "relaxed", "stochastic": "cayley" },
            })
        );
    }

    #[test]
    fn rates_of_rotations_are_compared_with_those_of_the_optimizer() {
        let arms = |rate: f64| {
            json!([
                { "name": "baseline", "method": { "kind": "baseline" } },
                { "name": "opt", "method": { "kind": "opt", "transform": "cayley", "learning_rate": rate } },
            ])
        };
        let of = |rate: f64| differences(&spec(arms(rate))).get("/method/learning_rate").cloned();
        assert_eq!(of(0.1), None, "both train the hidden layers at the optimizer's");
        assert_eq!(of(0.3), Some(json!({ "baseline": 0.1, "opt": 0.3 })));
    }

    #[test]
    fn between_experiments_the_fields_of_each_experiment_are_listed_too() {
        let arms = json!([{ "name": "baseline", "method": { "kind": "baseline" } }]);
        let one = spec(arms.clone());
        assert_eq!(between(&[("1/", &one), ("4/", &one)]), json!({}));
        let longer = json!({
            "name": "y", "notes": "longer", "tags": ["a"], "priority": 3, "seeds": [0, 1],
            "resources": { "threads": 2 }, "checkpoint": { "every_steps": 7 }, "time_limit_seconds": 60,
            "train": {
                "epochs": 5, "data": { "name": "mnist", "validation": 0.1 },
                "model": { "kind": "mlp", "hidden": [8] },
            },
            "arms": arms,
        });
        let longer = ExperimentSpec::from_value(&longer).unwrap();
        let of = |one: Value, other: Value| json!({ "1/baseline": one, "4/baseline": other });
        assert_eq!(
            between(&[("1/", &one), ("4/", &longer)]),
            json!({
                "/checkpoint/every_seconds": of(json!(60), Value::Null),
                "/checkpoint/every_steps": of(Value::Null, json!(7)),
                "/resources/threads": of(json!(1), json!(2)),
                "/seeds": of(json!([0]), json!([0, 1])),
                "/time_limit_seconds": of(json!(86_400), json!(60)),
                "/train/data/name": of(json!("digits"), json!("mnist")),
                "/train/data/validation": of(json!(0.0), json!(0.1)),
                "/train/epochs": of(json!(1), json!(5)),
            })
        );
    }
}
