//! What sets the arms of an experiment apart, field by field.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::experiment::ExperimentSpec;

/// A field that is not the same in all arms.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldDifference {
    /// Where it stands in a job's spec: `/method/kind`, `/train/optimizer/learning_rate`, ...
    pub pointer: String,
    /// What it is in each arm that has it, by the arm's name. Lists are shown whole.
    pub values: Map<String, Value>,
}

impl ExperimentSpec {
    /// Every field in which arms differ, in the order of the alphabet, defaults too. Seeds are the same in all.
    pub fn differences(&self) -> Vec<FieldDifference> {
        let arms: Vec<(&str, Map<String, Value>)> = self
            .arms
            .iter()
            .map(|arm| {
                let job = self.job(arm, 0);
                let mut fields = Map::new();
                flatten("/method", &serde_json::to_value(&job.method).expect("a spec is JSON"), &mut fields);
                flatten("/train", &serde_json::to_value(&job.train).expect("a spec is JSON"), &mut fields);
                (arm.name.as_str(), fields)
            })
            .collect();
        let pointers: BTreeSet<&String> = arms.iter().flat_map(|(_, fields)| fields.keys()).collect();
        let differs = |pointer: &&String| {
            arms.iter().any(|(_, fields)| fields.get(*pointer) != arms[0].1.get(*pointer))
        };
        let of_arms = |pointer: &String| {
            let value = |(name, fields): &(&str, Map<String, Value>)| {
                Some(((*name).to_owned(), fields.get(pointer)?.clone()))
            };
            FieldDifference { pointer: pointer.clone(), values: arms.iter().filter_map(value).collect() }
        };
        pointers.into_iter().filter(differs).map(of_arms).collect()
    }
}

/// Notes every field of a value that is no table itself; one that is absent and one that is null are the same.
fn flatten(pointer: &str, value: &Value, fields: &mut Map<String, Value>) {
    match value {
        Value::Object(table) => {
            table.iter().for_each(|(name, value)| flatten(&format!("{pointer}/{name}"), value, fields));
        }
        Value::Null => {}
        leaf => {
            fields.insert(pointer.to_owned(), leaf.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_one_arm_has_otherwise_or_alone_are_listed() {
        let spec = ExperimentSpec::from_value(&json!({
            "name": "x",
            "train": { "epochs": 1, "data": { "name": "digits" }, "model": { "kind": "mlp", "hidden": [8] } },
            "arms": [
                { "name": "plain", "method": { "kind": "baseline" } },
                { "name": "wide", "method": { "kind": "baseline" }, "train": { "model": { "hidden": [8, 4] } } },
                { "name": "mhe", "method": { "kind": "mhe", "weight": 2.0 } },
            ],
        }))
        .unwrap();
        let differences = spec.differences();
        let of = |pointer: &str| {
            let found = differences.iter().find(|difference| difference.pointer == pointer);
            found.map(|difference| Value::Object(difference.values.clone()))
        };
        assert_eq!(
            of("/method/kind"),
            Some(json!({ "plain": "baseline", "wide": "baseline", "mhe": "mhe" }))
        );
        assert_eq!(of("/method/weight"), Some(json!({ "mhe": 2.0 })));
        let hidden = json!({ "plain": [8], "wide": [8, 4], "mhe": [8] });
        assert_eq!(of("/train/model/hidden"), Some(hidden));
        assert_eq!(of("/train/batch_size"), None);
        let alone = ExperimentSpec { arms: spec.arms[..1].to_vec(), ..spec };
        assert!(alone.differences().is_empty());
    }
}
