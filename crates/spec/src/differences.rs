//! The fields in which the arms of an experiment differ.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::arm::Arm;
use crate::experiment::ExperimentSpec;

/// A field that differs between arms.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldDifference {
    /// Its path in a job's spec: `/method/kind`, `/train/optimizer/learning_rate`, ...
    pub pointer: String,
    /// Its value in each arm that has it, by the arm's name; null if it is off. Lists are shown whole.
    pub values: Map<String, Value>,
}

/// Rates of rotations, each with the optimizer's rate at which a method without rotations trains the same layers.
const RATES: [&str; 2] = ["learning_rate", "weight_decay"];

impl ExperimentSpec {
    /// Every resolved field in which arms differ, in alphabetical order, including defaults and fields of only one
    /// method. Seeds are the same in all arms.
    pub fn differences(&self) -> Vec<FieldDifference> {
        let arms: Vec<(&str, Map<String, Value>)> =
            self.arms.iter().map(|arm| (arm.name.as_str(), fields(arm))).collect();
        let pointers: BTreeSet<&String> = arms.iter().flat_map(|(_, fields)| fields.keys()).collect();
        let value = |arm: &(&str, Map<String, Value>), pointer: &String| {
            arm.1.get(pointer).filter(|value| !value.is_null()).cloned()
        };
        let differs =
            |pointer: &&String| arms.iter().any(|arm| value(arm, pointer) != value(&arms[0], pointer));
        let of_arms = |pointer: &String| {
            let value = |(name, fields): &(&str, Map<String, Value>)| {
                Some(((*name).to_owned(), fields.get(pointer)?.clone()))
            };
            FieldDifference { pointer: pointer.clone(), values: arms.iter().filter_map(value).collect() }
        };
        pointers.into_iter().filter(differs).map(of_arms).collect()
    }
}

/// Every field of the arm that is not a table, by its pointer.
fn fields(arm: &Arm) -> Map<String, Value> {
    let mut fields = Map::new();
    flatten("/method", &serde_json::to_value(&arm.method).expect("a spec is JSON"), &mut fields);
    flatten("/train", &serde_json::to_value(&arm.train).expect("a spec is JSON"), &mut fields);
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

    fn differences(spec: &ExperimentSpec) -> Value {
        let differences = spec.differences().into_iter();
        Value::Object(differences.map(|field| (field.pointer, Value::Object(field.values))).collect())
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
        assert!(alone.differences().is_empty());
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
}
