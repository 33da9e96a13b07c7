//! The schemas of a resolved spec, as tables with fields.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{Object, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::experiment::ExperimentSpec;

/// The top-level table of a spec.
pub(crate) const ROOT: &str = "ExperimentSpec";

/// The schemas of a resolved spec, by name.
pub(crate) struct Resolved(BTreeMap<String, RefOr<Schema>>);

impl Resolved {
    pub(crate) fn of_experiments() -> Self {
        let mut schemas = vec![(ROOT.to_owned(), ExperimentSpec::schema())];
        ExperimentSpec::schemas(&mut schemas);
        Self(schemas.into_iter().collect())
    }

    /// The schema of this name, which exists.
    pub(crate) fn get(&self, name: &str) -> &RefOr<Schema> {
        &self.0[name]
    }

    pub(crate) fn is_table(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|schema| self.kinds(schema).is_some())
    }

    /// The kinds of a table with the fields of each; `None` if it is not a table.
    pub(crate) fn kinds(&self, schema: &RefOr<Schema>) -> Option<Vec<Object>> {
        match schema {
            RefOr::Ref(to) => self.kinds(&self.0[target(to)]),
            RefOr::T(Schema::Object(table)) => (!table.properties.is_empty()).then(|| vec![table.clone()]),
            RefOr::T(Schema::OneOf(kinds)) => {
                let kinds: Option<Vec<_>> = kinds.items.iter().map(|kind| self.kinds(kind)).collect();
                Some(kinds?.concat())
            }
            RefOr::T(Schema::AllOf(parts)) => {
                parts.items.iter().try_fold(vec![Object::default()], |whole, part| {
                    let part = self.kinds(part)?;
                    Some(whole.iter().flat_map(|a| part.iter().map(move |b| joined(a, b))).collect())
                })
            }
            RefOr::T(_) => None,
        }
    }
}

/// The fields of both schemas.
fn joined(a: &Object, b: &Object) -> Object {
    let mut joined = a.clone();
    joined.properties.extend(b.properties.clone());
    joined.description = a.description.clone().or_else(|| b.description.clone());
    joined
}

/// The name of a referenced definition.
pub(crate) fn target(to: &Ref) -> &str {
    to.ref_location.rsplit('/').next().unwrap_or_default()
}
