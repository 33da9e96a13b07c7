//! Arms by name, in a spec that has not been parsed yet.

use serde_json::Value;

use crate::merge::merge;
use crate::problem::{Problems, alternatives, suggestion};

/// The names in `arms`; arms without a name are left out.
pub fn names(spec: &Value) -> Vec<&str> {
    list(spec).iter().filter_map(name).collect()
}

/// Keeps only the arms of these names, so that mistakes of the others do not matter. A baseline that is not kept is no
/// longer named.
///
/// # Errors
/// At `/arms`, with the existing names, if one is missing.
pub fn keep(spec: &mut Value, wanted: &[String]) -> Result<(), Problems> {
    if let Some(name) = wanted.iter().find(|wanted| !names(spec).contains(&wanted.as_str())) {
        return Err(unknown(name, &names(spec)));
    }
    if let Some(Value::Array(arms)) = spec.get_mut("arms") {
        arms.retain(|arm| name(arm).is_some_and(|name| wanted.iter().any(|wanted| wanted == name)));
    }
    if let Value::Object(fields) = spec {
        let is_kept = |baseline: &Value| wanted.iter().any(|wanted| baseline == wanted.as_str());
        if fields.get("baseline").is_some_and(|baseline| !is_kept(baseline)) {
            fields.remove("baseline");
        }
    }
    Ok(())
}

/// Merges `patch` into `spec`, as [`merge`] does. If `arms` in the patch is a table, its keys are names of arms, and
/// the fields under a name are merged into that arm.
///
/// # Errors
/// At `/arms`, with the existing names, if no arm has the name.
pub fn merge_by_name(spec: Value, mut patch: Value) -> Result<Value, Problems> {
    if let Some(Value::Object(by_name)) = patch.get("arms") {
        let known = names(&spec);
        let mut arms = list(&spec).to_vec();
        for (key, fields) in by_name {
            let reached = reach(&known, key.clone(), fields).ok_or_else(|| unknown(key, &known))?;
            for (wanted, fields) in reached {
                for arm in arms.iter_mut().filter(|arm| name(arm) == Some(&wanted)) {
                    *arm = merge(arm.take(), fields);
                }
            }
        }
        patch["arms"] = Value::Array(arms);
    }
    Ok(merge(spec, &patch))
}

/// The arms to which the fields at `path` belong. Names may contain dots, which also separate the steps of a path.
/// `None` if some fields belong to no arm.
fn reach<'a>(known: &[&str], path: String, fields: &'a Value) -> Option<Vec<(String, &'a Value)>> {
    if known.contains(&path.as_str()) {
        return Some(vec![(path, fields)]);
    }
    let deeper = fields.as_object().filter(|fields| !fields.is_empty())?;
    let reached: Option<Vec<_>> =
        deeper.iter().map(|(key, fields)| reach(known, format!("{path}.{key}"), fields)).collect();
    Some(reached?.concat())
}

fn unknown(name: &str, known: &[&str]) -> Problems {
    let hint = suggestion(name, known.iter().copied());
    let names = alternatives(known.iter().copied());
    Problems::one("/arms", format!("there is no arm `{name}`; there is {names}{hint}"))
}

fn list(spec: &Value) -> &[Value] {
    spec.get("arms").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn name(arm: &Value) -> Option<&str> {
    arm.get("name").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec() -> Value {
        json!({ "name": "x", "arms": [
            { "name": "baseline", "method": { "kind": "baseline" } },
            { "name": "s-0.25", "method": { "kind": "opt", "stochastic": { "inner_steps": 9, "fraction": 0.25 } } },
            { "name": "s-0.5", "method": { "kind": "opt" } },
        ] })
    }

    #[test]
    fn fields_reach_the_arm_of_their_name_even_with_dots() {
        let patch = json!({ "name": "y", "arms": {
            "baseline": { "train": { "batch_size": 8 } },
            "s-0": { "25": { "method": { "stochastic": { "inner_steps": 3 } } }, "5": { "name": "half" } },
        } });
        assert_eq!(
            merge_by_name(spec(), patch).unwrap(),
            json!({ "name": "y", "arms": [
                { "name": "baseline", "method": { "kind": "baseline" }, "train": { "batch_size": 8 } },
                { "name": "s-0.25", "method": { "kind": "opt", "stochastic": { "inner_steps": 3, "fraction": 0.25 } } },
                { "name": "half", "method": { "kind": "opt" } },
            ] })
        );
        let list = json!({ "arms": [{ "name": "only" }] });
        assert_eq!(names(&merge_by_name(spec(), list).unwrap()), ["only"], "a list replaces the list");
    }

    #[test]
    fn an_unknown_arm_is_reported_with_the_existing_names() {
        let patch = json!({ "arms": { "basline": { "train": { "steps": 1 } } } });
        assert_eq!(
            merge_by_name(spec(), patch).unwrap_err().to_string(),
            "/arms: there is no arm `basline`; there is `baseline`, `s-0.25` or `s-0.5`; did you mean `baseline`?"
        );
        assert!(keep(&mut spec(), &["baseline".to_owned(), "z".to_owned()]).is_err());
        assert!(merge_by_name(json!({}), json!({ "arms": { "a": {} } })).is_err());
    }

    #[test]
    fn other_arms_are_removed() {
        let mut spec = spec();
        spec["baseline"] = json!("s-0.5");
        keep(&mut spec, &["s-0.5".to_owned(), "baseline".to_owned()]).unwrap();
        assert_eq!((names(&spec), &spec["baseline"]), (vec!["baseline", "s-0.5"], &json!("s-0.5")));
        keep(&mut spec, &["baseline".to_owned()]).unwrap();
        assert_eq!((names(&spec), spec.get("baseline")), (vec!["baseline"], None));
    }
}
