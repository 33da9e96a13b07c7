//! A resolved experiment as TOML.

use serde_json::{Map, Value};

use crate::document::parse_toml;
use crate::experiment::ExperimentSpec;
use crate::merge::difference;

impl ExperimentSpec {
    /// The resolved spec as TOML, which reads back as this spec. `train` spells every default out, and an arm has the
    /// fields of `train` in which it differs.
    ///
    /// `None` if there is no such text: TOML has no null, with which an arm can switch off a field that it would
    /// inherit.
    pub fn to_toml(&self) -> Option<String> {
        let mut spec = table(self);
        let train = table(&self.train);
        let arms = self.arms.iter().map(|arm| {
            let mut short = table(arm);
            short.remove("train");
            let own = difference(&train, &table(&arm.train));
            if !own.is_empty() {
                short.insert("train".to_owned(), Value::Object(own));
            }
            Value::Object(short)
        });
        spec.insert("arms".to_owned(), arms.collect());
        let text = toml::to_string(&without_nulls(Value::Object(spec))).ok()?;
        let read = Self::from_value(&parse_toml(&text).ok()?).ok()?;
        (read == *self).then_some(text)
    }
}

/// The fields of a spec.
pub(crate) fn table(spec: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(spec).expect("a spec is JSON") {
        Value::Object(table) => table,
        other => unreachable!("a spec is a table, not {other}"),
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::recipes;

    #[test]
    fn every_recipe_reads_back_from_its_resolved_toml() {
        for recipe in recipes::ALL {
            let spec = ExperimentSpec::from_value(&recipe.value()).unwrap();
            let text = spec.to_toml().unwrap_or_else(|| panic!("{} has no TOML", recipe.name));
            assert!(text.contains("\n[train.optimizer]\n") && text.contains("\n[[arms]]\n"), "{text}");
            assert_eq!(ExperimentSpec::from_value(&parse_toml(&text).unwrap()).unwrap(), spec, "{text}");
        }
    }

    #[test]
    fn a_spec_that_toml_cannot_express_has_no_text() {
        let mut spec = recipes::find("digits-mlp").unwrap().value();
        spec["train"]["clip_norm"] = json!(0.5);
        assert!(ExperimentSpec::from_value(&spec).unwrap().to_toml().is_some());
        spec["arms"][1]["train"] = json!({ "clip_norm": null });
        assert_eq!(ExperimentSpec::from_value(&spec).unwrap().to_toml(), None);
    }
}
