//! The draft for a copy of a stored experiment: fields that were inherited stay inherited.

use serde_json::{Map, Value, json};

use crate::as_toml::table;
use crate::experiment::ExperimentSpec;
use crate::fields::Fields;
use crate::merge::difference;
use crate::method::MethodSpec;
use crate::submission::{expand, parse};
use crate::train::TrainSpec;

impl ExperimentSpec {
    /// The draft of a copy. It resolves to this spec and contains only what was written: the `submitted` text with its
    /// recipe filled in, and the present seeds and priority.
    ///
    /// Without a text, or if the text resolves to something else because a recipe or a default has changed since, the
    /// draft is the resolved spec. It then leaves out what an arm would inherit or have by default, because it is
    /// unknown whether that was written.
    pub fn draft(&self, submitted: Option<&str>) -> Value {
        submitted.and_then(|text| self.written(text)).unwrap_or_else(|| self.shortened())
    }

    /// The text as a spec, if it resolves to this spec.
    fn written(&self, text: &str) -> Option<Value> {
        let mut written = expand(&parse(text).ok()?).ok()?;
        let read = Self::from_value(&written).ok()?;
        if read.seeds != self.seeds {
            written["seeds"] = json!(self.seeds);
        }
        if read.priority != self.priority {
            written["priority"] = json!(self.priority);
        }
        let by_now = Self { seeds: self.seeds.clone(), priority: self.priority, ..read };
        (by_now == *self).then_some(written)
    }

    fn shortened(&self) -> Value {
        let train = table(&self.train);
        let arm = |arm: &crate::Arm| {
            if let (Some(space), Some(source)) = (&arm.tune, &arm.source) {
                return json!({ "name": arm.name, "method": source.method, "train": source.train, "tune": space });
            }
            let mut short = json!({ "name": arm.name, "method": shortened_method(&arm.method, &arm.train) });
            let own = difference(&train, &table(&arm.train));
            if !own.is_empty() {
                short["train"] = Value::Object(own);
            }
            short
        };
        let mut spec = table(self);
        spec["arms"] = self.arms.iter().map(arm).collect();
        Value::Object(spec)
    }
}

/// The fields of the method without those that have their default.
fn shortened_method(method: &MethodSpec, train: &TrainSpec) -> Value {
    let mut fields = table(method);
    for name in fields.keys().cloned().collect::<Vec<_>>() {
        let others: Map<_, _> = fields.clone().into_iter().filter(|(other, _)| *other != name).collect();
        let others = Value::Object(others);
        let read = Fields::read(&others, |fields| MethodSpec::read(fields, train));
        if read.is_ok_and(|read| read == *method) {
            fields = table(&others);
        }
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{merge, submission};

    const TOML: &str = r#"
        name = "x"
        [train]
        epochs = 1
        data = { name = "digits" }
        model = { kind = "mlp", hidden = [8] }
        optimizer = { learning_rate = 0.1 }
        [[arms]]
        name = "baseline"
        method = { kind = "baseline" }
        [[arms]]
        name = "opt"
        method = { kind = "opt", transform = "cayley" }
        [[arms]]
        name = "own"
        method = { kind = "opt", transform = "relaxed", beta = 0.2, learning_rate = 0.7 }
        train = { batch_size = 16, optimizer = { kind = "adam" } }
    "#;

    fn resolved(value: &Value) -> ExperimentSpec {
        ExperimentSpec::from_value(value).unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// The learning rates of the method, if it has one, and of the optimizer, for each arm.
    fn rates(spec: &ExperimentSpec) -> Vec<(Option<f64>, f64)> {
        let of_arm = |arm: &crate::Arm| {
            let method = table(&arm.method).get("learning_rate").and_then(Value::as_f64);
            (method, arm.train.optimizer.learning_rate())
        };
        spec.arms.iter().map(of_arm).collect()
    }

    #[test]
    fn a_copy_inherits_what_its_original_inherited() {
        let written = parse(TOML).unwrap();
        let spec = resolved(&written);
        let faster = json!({ "train": { "optimizer": { "learning_rate": 0.5 } } });
        // With the text, and without it, as in experiments that were stored before texts were kept.
        for (submitted, is_as_written) in [(Some(TOML), true), (None, false)] {
            let draft = spec.draft(submitted);
            assert_eq!(draft == written, is_as_written);
            assert_eq!(resolved(&draft), spec);
            let copy = resolved(&merge(draft, &faster));
            assert_eq!(rates(&copy), [(None, 0.5), (Some(0.5), 0.5), (Some(0.7), 0.001)], "{submitted:?}");
        }
    }

    #[test]
    fn without_a_text_arms_keep_only_their_own_fields() {
        let spec = resolved(&parse(TOML).unwrap());
        let optimizer = &table(&spec.arms[2].train)["optimizer"];
        assert_eq!(
            spec.draft(None)["arms"],
            json!([
                { "name": "baseline", "method": { "kind": "baseline" } },
                { "name": "opt", "method": { "kind": "opt", "transform": "cayley" } },
                {
                    "name": "own",
                    "method": { "kind": "opt", "transform": "relaxed", "beta": 0.2, "learning_rate": 0.7 },
                    "train": { "batch_size": 16, "optimizer": optimizer },
                },
            ])
        );
    }

    #[test]
    fn a_recipe_is_filled_in_and_later_edits_are_kept() {
        let sent = r#"{ "recipe": "digits-mlp", "overrides": { "name": "mine", "train": { "epochs": 2 } } }"#;
        let mut spec = submission::resolve(&parse(sent).unwrap()).unwrap();
        let draft = spec.draft(Some(sent));
        assert_eq!((&draft["name"], &draft["train"]["epochs"]), (&json!("mine"), &json!(2)));
        assert_eq!(draft.get("priority"), None);
        spec.seeds.push(77);
        spec.priority = 3;
        let draft = spec.draft(Some(sent));
        assert_eq!((resolved(&draft), &draft["priority"]), (spec, &json!(3)));
        assert_eq!(draft["arms"][1]["method"].get("learning_rate"), None, "{draft}");
    }

    #[test]
    fn a_text_with_another_meaning_is_not_used() {
        let spec = resolved(&parse(TOML).unwrap());
        for text in ["", "{", "{\"recipe\": \"gone\"}", &TOML.replace("epochs = 1", "epochs = 2")] {
            assert_eq!(spec.draft(Some(text)), spec.draft(None), "{text}");
        }
    }
}
