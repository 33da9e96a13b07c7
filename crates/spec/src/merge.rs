//! Merges overrides into a spec, field by field.

use serde_json::{Map, Value};

use crate::document::{DocumentError, parse_toml};
use crate::problem::Problems;

/// Words that determine the meaning of the other fields of their table.
const DISCRIMINANTS: [&str; 2] = ["kind", "name"];

/// Pairs of alternative fields: one in a patch removes the other from the base.
const ALTERNATIVES: [(&str, &str); 4] =
    [("epochs", "steps"), ("steps", "epochs"), ("width", "widths"), ("widths", "width")];

/// `base` with the fields of `patch`. Tables merge field by field; lists, and tables whose `kind` or `name` changes,
/// are replaced whole. A flag that is switched off removes its settings, as `batch_norm = false` does with
/// `batch_norm_momentum`.
pub fn merge(base: Value, patch: &Value) -> Value {
    let (mut base, patch) = match (base, patch) {
        (Value::Object(base), Value::Object(patch)) => (base, patch),
        (_, patch) => return patch.clone(),
    };
    for (key, value) in patch {
        let merged = match base.remove(key) {
            Some(old) if !replaces(&old, value) => merge(old, value),
            _ => value.clone(),
        };
        base.insert(key.clone(), merged);
    }
    let is_given = |name| patch.get(name).is_some_and(|value| !value.is_null());
    for (given, gives_way) in ALTERNATIVES {
        if is_given(given) && !is_given(gives_way) {
            base.remove(gives_way);
        }
    }
    for (flag, _) in patch.iter().filter(|(_, value)| **value == Value::Bool(false)) {
        let settings = format!("{flag}_");
        base.retain(|key, _| !key.starts_with(&settings) || patch.contains_key(key));
    }
    Value::Object(base)
}

/// The patch that turns `base` into `whole`: the inverse of [`merge`].
pub(crate) fn difference(base: &Map<String, Value>, whole: &Map<String, Value>) -> Map<String, Value> {
    let differs = |(name, value): &(&String, &Value)| base.get(*name) != Some(*value);
    let of_field = |(name, value): (&String, &Value)| {
        let value = match (base.get(name), value) {
            (Some(old @ Value::Object(base)), Value::Object(whole)) if !replaces(old, value) => {
                Value::Object(difference(base, whole))
            }
            _ => value.clone(),
        };
        (name.clone(), value)
    };
    whole.iter().filter(differs).map(of_field).collect()
}

/// `below` with every field of `above`, without the rules of [`merge`]: several assignments of a person are one patch,
/// whose contradictions are reported later.
pub fn lay_over(below: Value, above: Value) -> Value {
    match (below, above) {
        (Value::Object(mut below), Value::Object(above)) => {
            for (key, value) in above {
                let old = below.remove(&key).unwrap_or(Value::Null);
                below.insert(key, lay_over(old, value));
            }
            Value::Object(below)
        }
        (_, above) => above,
    }
}

fn replaces(old: &Value, new: &Value) -> bool {
    DISCRIMINANTS.iter().any(|key| new.get(key).is_some_and(|new| old.get(key) != Some(new)))
}

/// One `--set` of the command line, such as `train.epochs=3` or `seeds=[0,1]`, as a patch. A name with dots of its own is in
/// quotation marks: `tune.space."optimizer.learning_rate".from=0.01`.
///
/// The value is read as TOML, or as text if it is not TOML, so that names need no quotes. `null`, which TOML lacks,
/// means that the field is left out.
///
/// # Errors
/// If there is no `=` or an empty name, or the value is a number that is not finite.
pub fn parse_assignment(text: &str) -> Result<Value, Problems> {
    let wrong = || Problems::one("", format!("`{text}` must look like train.epochs=3"));
    let (path, value) = text.split_once('=').ok_or_else(wrong)?;
    let names = names(path).ok_or_else(wrong)?;
    let value = match parse_toml(&format!("value = {value}")) {
        Err(DocumentError::Malformed(_)) if value.trim() == "null" => Value::Null,
        Ok(mut table) => table["value"].take(),
        Err(DocumentError::Malformed(_)) if value.trim().starts_with(['[', '{', '"', '\'']) => {
            return Err(Problems::one(
                "",
                format!("`{text}`: a bracket or quotation mark is not closed, or its content is not TOML"),
            ));
        }
        Err(DocumentError::Malformed(_)) => Value::String(value.trim().to_owned()),
        Err(DocumentError::Invalid(problems)) => return Err(problems),
    };
    Ok(names.into_iter().rfold(value, |value, name| Value::Object(Map::from_iter([(name, value)]))))
}

/// The names of a path; `None` if one is empty or a quotation mark is not closed.
fn names(path: &str) -> Option<Vec<String>> {
    if !path.contains(['"', '\'']) {
        let names: Vec<String> = path.split('.').map(|name| name.trim().to_owned()).collect();
        return names.iter().all(|name| !name.is_empty()).then_some(names);
    }
    let table = parse_toml(&format!("{path} = 0")).ok()?;
    let mut names = Vec::new();
    let mut rest = &table;
    while let Value::Object(fields) = rest {
        let (name, below) = fields.iter().next()?;
        names.push(name.clone());
        rest = below;
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_merge_and_a_changed_kind_replaces_its_table() {
        let base = json!({"a": {"x": 1, "y": 2}, "model": {"kind": "mlp", "hidden": [4]}, "seeds": [0, 1]});
        let patch = json!({"a": {"y": 3}, "model": {"kind": "cnn6", "width": 8}, "seeds": [5]});
        assert_eq!(
            merge(base, &patch),
            json!({"a": {"x": 1, "y": 3}, "model": {"kind": "cnn6", "width": 8}, "seeds": [5]})
        );
    }

    #[test]
    fn the_same_kind_keeps_the_other_fields() {
        let base = json!({"model": {"kind": "mlp", "hidden": [4]}});
        let patch = json!({"model": {"kind": "mlp", "batch_norm": true}});
        assert_eq!(merge(base, &patch), json!({"model": {"kind": "mlp", "hidden": [4], "batch_norm": true}}));
    }

    #[test]
    fn an_alternative_replaces_the_other() {
        assert_eq!(merge(json!({"epochs": 3}), &json!({"steps": 10})), json!({"steps": 10}));
        assert_eq!(merge(json!({"width": 32}), &json!({"widths": [1, 2, 3]})), json!({"widths": [1, 2, 3]}));
        assert_eq!(merge(json!({"steps": 3}), &json!({"epochs": null}))["steps"], 3, "null sets nothing");
    }

    #[test]
    fn a_difference_merges_to_the_whole() {
        let base = json!({
            "epochs": 3, "steps": null, "clip_norm": 0.5, "seeds": [0, 1],
            "model": {"kind": "cnn6", "width": 4, "batch_norm": true, "batch_norm_momentum": 0.1},
        });
        for (whole, fields) in [
            (base.clone(), json!({})),
            (merge(base.clone(), &json!({"clip_norm": null})), json!({"clip_norm": null})),
            (merge(base.clone(), &json!({"model": {"width": 8}})), json!({"model": {"width": 8}})),
            (
                merge(base.clone(), &json!({"model": {"batch_norm": false}})),
                json!({"model": {"batch_norm": false}}),
            ),
            (
                merge(base.clone(), &json!({"model": {"kind": "mlp", "width": 4}})),
                json!({"model": {"kind": "mlp", "width": 4}}),
            ),
            (merge(base.clone(), &json!({"seeds": [0], "epochs": 4})), json!({"seeds": [0], "epochs": 4})),
        ] {
            let found = difference(base.as_object().unwrap(), whole.as_object().unwrap());
            assert_eq!(Value::Object(found.clone()), fields);
            assert_eq!(merge(base.clone(), &Value::Object(found)), whole);
        }
    }

    #[test]
    fn a_name_with_dots_is_in_quotation_marks() {
        let patch = parse_assignment("tune.space.\"optimizer.learning_rate\".from=0.01").unwrap();
        assert_eq!(patch, json!({ "tune": { "space": { "optimizer.learning_rate": { "from": 0.01 } } } }));
        for wrong in ["tune.space.\"optimizer=1", "a..b=1", ".=1", "=1"] {
            let problems = parse_assignment(wrong).unwrap_err().to_string();
            assert!(problems.contains("must look like train.epochs=3"), "{problems}");
        }
    }

    #[test]
    fn several_assignments_are_one_patch() {
        let said = ["train.epochs=3", "train.model.width=8", "train.steps=9", "train.model.kind=cnn6"];
        let patches = said.map(|text| parse_assignment(text).unwrap());
        let patch = patches.into_iter().reduce(lay_over).unwrap();
        assert_eq!(
            merge(json!({"train": {"epochs": 1, "model": {"kind": "mlp", "hidden": [4]}}}), &patch),
            json!({"train": {"epochs": 3, "model": {"width": 8, "kind": "cnn6"}, "steps": 9}})
        );
    }

    #[test]
    fn a_flag_that_is_switched_off_removes_its_settings() {
        let base = json!({"batch_norm": true, "batch_norm_momentum": 0.1, "batch_size": 3});
        assert_eq!(
            merge(base.clone(), &json!({"batch_norm": false})),
            json!({"batch_norm": false, "batch_size": 3})
        );
        // A contradiction in one patch is reported when the field is read.
        let patch = json!({"batch_norm": false, "batch_norm_momentum": 0.2});
        assert_eq!(merge(base, &patch)["batch_norm_momentum"], 0.2);
    }

    #[test]
    fn assignments_are_toml_or_text() {
        assert_eq!(parse_assignment("train.epochs=3").unwrap(), json!({"train": {"epochs": 3}}));
        assert_eq!(parse_assignment("seeds=[0, 1]").unwrap(), json!({"seeds": [0, 1]}));
        assert_eq!(parse_assignment("name=my-run").unwrap(), json!({"name": "my-run"}));
        assert_eq!(
            parse_assignment("train.clip_norm = null").unwrap(),
            json!({"train": {"clip_norm": null}})
        );
        assert!(
            parse_assignment("train.optimizer.learning_rate=inf").unwrap_err().to_string().contains("finite")
        );
        assert!(parse_assignment("seeds=[0, 1").unwrap_err().to_string().contains("not closed"));
        assert!(parse_assignment("epochs").is_err());
        assert!(parse_assignment("train..epochs=1").is_err());
    }
}
