//! The settings of a run: every field of a job's spec that is not a table, by its path.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, Schema, SchemaType, Type};

use crate::differences::RATES;
use crate::resolved::{Resolved, target};

/// A field of a job's spec that is not a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Names of the tables and of the field: `train.optimizer.learning_rate`.
    pub path: String,
    /// What it can hold besides null.
    pub values: Values,
    /// Path of the setting that counts for a run without this one: the optimizer's rate for a rate of rotations, as in
    /// [`differences`](crate::differences()).
    pub or_else: Option<String>,
}

/// What a field can hold. Flags are the words `true` and `false`, and a list is its JSON text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// Whether it can hold a number.
    pub numbers: bool,
    /// Whether it can hold a text.
    pub texts: bool,
    /// All of its texts, if they are a closed set; otherwise empty.
    pub words: Vec<String>,
}

/// The tables of a job's spec, each with the name of its schema.
const TABLES: [(&str, &str); 4] = [
    ("method", "MethodSpec"),
    ("train", "TrainSpec"),
    ("resources", "Resources"),
    ("checkpoint", "CheckpointSpec"),
];

/// Every setting of any kind of run, in alphabetical order.
pub fn settings() -> &'static [Setting] {
    static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
        let (resolved, mut found) = (Resolved::of_experiments(), BTreeMap::new());
        for (table, schema) in TABLES {
            collect(&resolved, table, resolved.get(schema), &mut found);
        }
        let setting = |(path, values): (String, Values)| Setting {
            or_else: rate_without_rotations(&path),
            path,
            values,
        };
        found.into_iter().map(setting).collect()
    });
    &SETTINGS
}

/// Path of the optimizer's rate, for the path of a rate of rotations.
fn rate_without_rotations(path: &str) -> Option<String> {
    let rate = path.strip_prefix("method.").filter(|rate| RATES.contains(rate))?;
    Some(format!("train.optimizer.{rate}"))
}

/// Adds the settings of the field at `path`, which may be a table of several kinds.
fn collect(resolved: &Resolved, path: &str, schema: &RefOr<Schema>, found: &mut BTreeMap<String, Values>) {
    let Some(kinds) = resolved.kinds(schema).or_else(|| table_or_null(resolved, schema)) else {
        let values = values(resolved, schema);
        let known = found.remove(path);
        found.insert(path.to_owned(), known.map_or(values.clone(), |known| known.or(values)));
        return;
    };
    for kind in kinds {
        for (name, field) in &kind.properties {
            collect(resolved, &format!("{path}.{name}"), field, found);
        }
    }
}

/// The kinds of an optional table.
fn table_or_null(resolved: &Resolved, schema: &RefOr<Schema>) -> Option<Vec<Object>> {
    let RefOr::T(Schema::OneOf(either)) = schema else { return None };
    either.items.iter().find_map(|item| resolved.kinds(item))
}

fn values(resolved: &Resolved, schema: &RefOr<Schema>) -> Values {
    match schema {
        RefOr::Ref(to) => values(resolved, resolved.get(target(to))),
        RefOr::T(Schema::Object(object)) => of_object(object),
        RefOr::T(Schema::OneOf(either)) => {
            either.items.iter().map(|item| values(resolved, item)).fold(Values::default(), Values::or)
        }
        RefOr::T(_) => Values { texts: true, ..Values::default() },
    }
}

fn of_object(object: &Object) -> Values {
    let types: &[Type] = match &object.schema_type {
        SchemaType::Type(one) => std::slice::from_ref(one),
        SchemaType::Array(types) => types,
        SchemaType::AnyValue => &[],
    };
    let flag = types.contains(&Type::Boolean).then(|| ["true", "false"].map(str::to_owned).to_vec());
    let words = object.enum_values.iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    Values {
        numbers: types.iter().any(|kind| matches!(kind, Type::Integer | Type::Number)),
        texts: flag.is_some() || types.contains(&Type::String),
        words: flag.unwrap_or_else(|| words.collect()),
    }
}

impl Values {
    /// The values of either.
    fn or(self, other: Self) -> Self {
        let is_free = |values: &Self| values.texts && values.words.is_empty();
        let words = if is_free(&self) || is_free(&other) {
            Vec::new()
        } else {
            let new = other.words.iter().filter(|word| !self.words.contains(word));
            self.words.iter().chain(new).cloned().collect()
        };
        Self { numbers: self.numbers || other.numbers, texts: self.texts || other.texts, words }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::submission;

    fn of(path: &str) -> Option<&'static Values> {
        settings().iter().find(|setting| setting.path == path).map(|setting| &setting.values)
    }

    /// Checks that the leaves of a stored spec are settings that can hold their values.
    fn check(path: &str, value: &Value, checked: &mut usize) {
        if let Value::Object(table) = value {
            table.iter().for_each(|(name, value)| check(&format!("{path}.{name}"), value, checked));
            return;
        }
        let values = of(path).unwrap_or_else(|| panic!("{path} is no setting"));
        let fits = match value {
            Value::Null => true,
            Value::Number(_) => values.numbers,
            Value::String(word) => values.texts && (values.words.is_empty() || values.words.contains(word)),
            Value::Bool(flag) => values.words.contains(&flag.to_string()),
            _ => values.texts && values.words.is_empty(),
        };
        assert!(fits, "{path} = {value}: {values:?}");
        *checked += 1;
    }

    #[test]
    fn every_field_of_every_recipe_is_a_setting() {
        let mut checked = 0;
        for recipe in crate::recipes::ALL {
            let spec = submission::resolve(&json!({ "recipe": recipe.name })).unwrap();
            for job in spec.jobs() {
                let Value::Object(mut job) = serde_json::to_value(job).unwrap() else { unreachable!() };
                for column in ["arm", "seed"] {
                    job.remove(column).unwrap();
                }
                // Of trials.
                for column in ["phase", "trial", "point", "rungs"] {
                    job.remove(column);
                }
                job.iter().for_each(|(name, value)| check(name, value, &mut checked));
            }
        }
        assert!(checked > 1000, "{checked}");
    }

    #[test]
    fn values_of_all_kinds_of_a_table_are_joined() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let number = Values { numbers: true, ..Values::default() };
        assert_eq!(of("train.optimizer.learning_rate"), Some(&number));
        assert_eq!(of("train.optimizer.beta1"), Some(&number));
        assert_eq!(of("method.stochastic.inner_steps"), Some(&number));
        assert_eq!(of("train.optimizer.kind").unwrap().words, words(&["sgd", "adam", "adamw"]));
        for word in ["mlp", "resnet18"] {
            assert!(of("train.model.kind").unwrap().words.contains(&word.to_owned()));
        }
        assert_eq!(of("train.optimizer.nesterov").unwrap().words, words(&["true", "false"]));
        // A rotation and plain neurons start differently.
        for word in ["identity", "orthogonal"] {
            assert!(of("method.init").unwrap().words.contains(&word.to_owned()));
        }
        let every = of("train.evaluate_every").unwrap();
        assert!(every.numbers && every.words == words(&["epoch"]), "{every:?}");
        let lists = Values { texts: true, ..Values::default() };
        assert_eq!(of("train.data.augment"), Some(&lists));
        assert_eq!(of("train.data.name"), Some(&lists));
        assert_eq!(of("train"), None);
    }
}
