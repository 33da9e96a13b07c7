//! What was written for a tuned arm.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Point, path};
use crate::fields::Fields;
use crate::parts::{Base, Parts, read_parts};
use crate::problem::Problems;

/// `method` and `train` of a tuned arm as they were written. The values of a point are written into them before they are
/// resolved, so that a field that inherits a tuned one inherits its value at each point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArmSource {
    /// The method without defaults.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub method: Value,
    /// The arm's own fields of `train`; null if it has none.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub train: Value,
}

impl ArmSource {
    /// Whether the arm itself sets the field.
    pub(super) fn sets(&self, path: &str) -> bool {
        let whole = json!({ "method": self.method, "train": self.train });
        whole.pointer(&path::pointer(path)).is_some_and(|value| !value.is_null())
    }

    /// What would have been written for the arm at a point.
    pub(super) fn at(&self, point: &Point) -> Self {
        let mut source = self.clone();
        point.iter().for_each(|(path, value)| set(&mut source, path, value.clone()));
        source
    }

    /// Resolves the arm as any other one.
    ///
    /// # Errors
    /// Every mistake with its path below the arm.
    pub(super) fn resolve(&self, base: &Base<'_>, is_stored: bool) -> Result<Parts, Problems> {
        let whole = json!({ "method": self.method, "train": self.train });
        let read = |fields: &mut Fields<'_>| read_parts(fields, base);
        if is_stored { Fields::read_stored(&whole, read) } else { Fields::read(&whole, read) }
    }
}

/// What was written for the arm: `source` in a resolved spec, otherwise its fields themselves.
pub(crate) fn written(fields: &mut Fields<'_>) -> ArmSource {
    let read = |fields: &mut Fields<'_>| {
        let [method, train] = ["method", "train"].map(|name| fields.raw(name).cloned().unwrap_or_default());
        ArmSource { method, train }
    };
    let own = read(fields);
    if fields.has("source") { fields.table("source", None, read) } else { own }
}

/// Sets the field. A table that is missing on the way is created; a value that is no table is left to the reader.
fn set(source: &mut ArmSource, path: &str, value: Value) {
    let (table, path) = match path.strip_prefix("method.") {
        Some(rest) => (&mut source.method, rest),
        None => (&mut source.train, path),
    };
    let (parents, name) = path.rsplit_once('.').map_or(("", path), |split| split);
    let mut table = table;
    for parent in parents.split('.').filter(|parent| !parent.is_empty()) {
        let Some(fields) = fields_of(table) else { return };
        table = fields.entry(parent).or_insert(Value::Null);
    }
    if let Some(fields) = fields_of(table) {
        fields.insert(name.to_owned(), value);
    }
}

fn fields_of(value: &mut Value) -> Option<&mut Map<String, Value>> {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}
