//! The written form of a spec: a field may be left out or null, because it has a default or the parser explains its
//! absence better, and a field that no kind of its table has is rejected.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ArrayItems, Object, Schema, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

use crate::resolved::{ROOT, Resolved, target};

/// Fields without a default, except those in `train`, because an arm inherits what it leaves out.
const REQUIRED: [(&str, &[&str]); 6] = [
    (ROOT, &["name", "train", "arms"]),
    ("Arm", &["name", "method"]),
    ("MethodSpec", &["kind", "transform"]),
    ("StochasticSpec", &["inner_steps"]),
    ("TuneSpec", &["trials"]),
    ("RangeSpec", &["from", "to", "values"]),
];

/// Paths of definitions.
pub(super) struct Place {
    pub(super) path: &'static str,
    /// Prefix that distinguishes the names of written tables from those of resolved ones.
    pub(super) prefix: &'static str,
}

impl Place {
    /// The name of the top-level table of a spec.
    pub(super) fn root(&self) -> String {
        format!("{}{ROOT}", self.prefix)
    }

    /// The schema of a written spec and, by name, the schemas to which it refers.
    pub(super) fn written(&self) -> (Schema, BTreeMap<String, Schema>) {
        let resolved = Resolved::of_experiments();
        let writer = Writer { resolved, place: self, wanted: RefCell::new(vec![ROOT.to_owned()]) };
        let mut definitions = BTreeMap::new();
        while let Some(name) = writer.next_wanted() {
            definitions.entry(writer.name(&name)).or_insert_with(|| writer.definition(&name));
        }
        let mut root = definitions.remove(&self.root()).expect("the first definition");
        if let Schema::Object(root) = &mut root {
            root.schema_type = Type::Object.into();
        }
        (root, definitions)
    }
}

/// Converts definitions to their written form and collects the names of referenced ones.
struct Writer<'a> {
    resolved: Resolved,
    place: &'a Place,
    wanted: RefCell<Vec<String>>,
}

impl Writer<'_> {
    fn next_wanted(&self) -> Option<String> {
        self.wanted.borrow_mut().pop()
    }

    /// The name of a definition in its written form. Only tables have two forms.
    fn name(&self, name: &str) -> String {
        let prefix = if self.resolved.is_table(name) { self.place.prefix } else { "" };
        format!("{prefix}{name}")
    }

    fn definition(&self, name: &str) -> Schema {
        let schema = self.resolved.get(name);
        let Some(kinds) = self.resolved.kinds(schema) else { return self.plain(schema) };
        let description = description(schema);
        let mut kinds: Vec<Object> = kinds.into_iter().map(|kind| self.table(name, kind)).collect();
        if kinds.len() > 1 {
            return any_of(kinds.into_iter().map(|kind| Schema::Object(kind).into()), description);
        }
        let mut table = kinds.remove(0);
        table.description = description.or(table.description);
        table.into()
    }

    /// One kind of the table `name`, with exactly its fields. The table may be null.
    fn table(&self, name: &str, mut kind: Object) -> Object {
        let properties = std::mem::take(&mut kind.properties).into_iter();
        kind.properties = properties.map(|(name, schema)| (name, self.field(schema))).collect();
        let required = REQUIRED.iter().filter(|(table, _)| *table == name).flat_map(|(_, fields)| *fields);
        let required = required.filter(|field| kind.properties.contains_key(**field));
        kind.required = required.map(|&field| field.to_owned()).collect();
        kind.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        kind.schema_type = SchemaType::from_iter([Type::Object, Type::Null]);
        kind
    }

    /// The schema of a field, which may be null.
    fn field(&self, schema: RefOr<Schema>) -> RefOr<Schema> {
        let mut schema = match schema {
            RefOr::Ref(to) if self.resolved.is_table(target(&to)) => return self.refer(to).into(),
            RefOr::Ref(to) => {
                let null = Object::builder().schema_type(Type::Null).into();
                return any_of([self.refer(to).into(), null], None).into();
            }
            RefOr::T(schema) => schema,
        };
        match &mut schema {
            Schema::Object(object) => {
                object.schema_type = or_null(&object.schema_type);
                if let Some(AdditionalProperties::RefOr(values)) = object.additional_properties.as_deref_mut()
                {
                    self.refer_in(values);
                }
                if let Some(words) = &mut object.enum_values {
                    words.push(Value::Null);
                }
            }
            Schema::Array(array) => {
                array.schema_type = or_null(&array.schema_type);
                if let ArrayItems::RefOrSchema(items) = &mut array.items {
                    self.refer_in(items);
                }
            }
            // The schema of an `Option`.
            Schema::OneOf(either) => {
                let inner = either.items.drain(..).find(|item| matches!(item, RefOr::Ref(_)));
                return self.field(inner.unwrap_or_default());
            }
            _ => {}
        }
        schema.into()
    }

    /// A word, a number or either.
    fn plain(&self, schema: &RefOr<Schema>) -> Schema {
        match schema {
            RefOr::T(Schema::OneOf(either)) => {
                let mut either = either.clone();
                either.items.iter_mut().for_each(|item| self.refer_in(item));
                either.into()
            }
            RefOr::T(schema) => schema.clone(),
            RefOr::Ref(to) => any_of([self.refer(to.clone()).into()], None),
        }
    }

    fn refer_in(&self, schema: &mut RefOr<Schema>) {
        if let RefOr::Ref(to) = schema {
            *to = self.refer(to.clone());
        }
    }

    /// A reference to the written form of the definition.
    fn refer(&self, mut to: Ref) -> Ref {
        let name = target(&to).to_owned();
        to.ref_location = format!("{}{}", self.place.path, self.name(&name));
        self.wanted.borrow_mut().push(name);
        to
    }
}

fn any_of(items: impl IntoIterator<Item = RefOr<Schema>>, description: Option<String>) -> Schema {
    let items = items.into_iter().fold(AnyOfBuilder::new(), AnyOfBuilder::item);
    Schema::AnyOf(items.description(description).build())
}

fn or_null(kind: &SchemaType) -> SchemaType {
    match kind {
        SchemaType::Type(kind) => SchemaType::from_iter([kind.clone(), Type::Null]),
        other => other.clone(),
    }
}

fn description(schema: &RefOr<Schema>) -> Option<String> {
    match schema {
        RefOr::T(Schema::OneOf(one)) => one.description.clone(),
        RefOr::T(Schema::AllOf(all)) => all.description.clone(),
        _ => None,
    }
}
