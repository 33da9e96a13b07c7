//! Resolves a submission into a validated experiment.

use serde_json::Value;

use crate::experiment::ExperimentSpec;
use crate::fields::Fields;
use crate::merge::merge;
use crate::problem::{Problems, shown};
use crate::recipes;

pub use crate::document::{DocumentError, is_json, parse, parse_json, parse_toml, place};

/// Resolves a submission: an experiment, or `{"recipe": NAME, "overrides": {...}}`.
///
/// # Errors
/// Every mistake with its path.
pub fn resolve(sent: &Value) -> Result<ExperimentSpec, Problems> {
    let mut problems = Problems::default();
    let spec = expanded(sent, &mut problems)
        .map(|value| Fields::of(&value, "", &mut problems, ExperimentSpec::read));
    problems.ok_or(spec).map(|spec| spec.expect("without a mistake there is a spec"))
}

/// The spec of a submission, not validated: a recipe is replaced by its spec with the overrides.
///
/// # Errors
/// The mistakes in the recipe's name and the overrides.
pub fn expand(sent: &Value) -> Result<Value, Problems> {
    let mut problems = Problems::default();
    let value = expanded(sent, &mut problems);
    problems.ok_or(value).map(|value| value.expect("without a mistake there is a value"))
}

/// `None` if the recipe is unknown, which is recorded. Invalid overrides are recorded and left out, so that the rest is
/// validated too.
fn expanded(sent: &Value, problems: &mut Problems) -> Option<Value> {
    if sent.get("recipe").is_none() {
        return Some(sent.clone());
    }
    Fields::of(sent, "", problems, |fields| {
        let name = fields.identifier("recipe");
        let recipe = recipes::find(&name).map_err(|problems| {
            // An invalid name has been recorded already.
            if !name.is_empty() {
                problems.list.into_iter().for_each(|problem| fields.wrong("recipe", problem.detail));
            }
        });
        let overrides = fields.raw("overrides");
        if let Some(other) = overrides.filter(|overrides| !overrides.is_object()) {
            let is = shown(other);
            fields.wrong("overrides", format!("must be a table of fields of the spec, is {is}"));
        }
        let overrides = overrides.filter(|overrides| overrides.is_object());
        recipe.ok().map(|recipe| match overrides {
            Some(overrides) => merge(recipe.value(), overrides),
            None => recipe.value(),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointers(sent: Value) -> Vec<String> {
        let problems = resolve(&sent).unwrap_err();
        problems.list.into_iter().map(|problem| problem.pointer).collect()
    }

    #[test]
    fn mistakes_beside_a_recipe_and_in_its_overrides_are_reported_together() {
        let sent = json!({ "recipe": "digits-mlp", "seeds": [1], "overrides": { "train": { "epochs": 0 } } });
        assert_eq!(pointers(sent), ["/seeds", "/train/epochs"]);
        let sent = json!({ "recipe": "digits", "overides": {}, "overrides": [1] });
        assert_eq!(pointers(sent), ["/recipe", "/overrides", "/overides"]);
        assert_eq!(pointers(json!({ "recipe": "../digits", "overrides": 1 })), ["/recipe", "/overrides"]);
        let arms = json!([{ "name": "a", "method": { "kind": "baseline" }, "train": { "epochs": 0 } }]);
        let sent = json!({ "recipe": "digits-mlp", "overrides": { "arms": arms }, "name": "x" });
        assert_eq!(pointers(sent), ["/name", "/arms/0/train/epochs"]);
    }
}
