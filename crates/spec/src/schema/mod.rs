//! Schemas of specs, for the OpenAPI document and for editors.
//!
//! The types of a resolved spec derive their schemas. The schema of what people write follows from these (`written`).

mod written;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use self::written::Place;
use crate::fields::IDENTIFIER_PATTERN;

/// Where the OpenAPI document has the schemas of both forms.
const IN_OPENAPI: Place = Place { path: "#/components/schemas/", prefix: "Written" };

/// Where a JSON Schema of its own has those of the written form.
const ALONE: Place = Place { path: "#/definitions/", prefix: "" };

/// The schema of a name in a spec.
pub struct Name;

/// The schema of a seed.
pub struct Seed;

/// A spec as a person writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WrittenSpec(pub Value);

/// The JSON Schema of a spec as a person writes it, in draft 7, which every editor knows.
pub fn json_schema() -> Value {
    let (root, definitions) = ALONE.written();
    let mut document =
        json!({ "$schema": "http://json-schema.org/draft-07/schema#", "title": "optlab spec" });
    let fields = document.as_object_mut().expect("a literal table");
    if let Value::Object(root) = serde_json::to_value(root).expect("a schema is JSON") {
        fields.extend(root);
    }
    fields.insert("definitions".to_owned(), serde_json::to_value(definitions).expect("a schema is JSON"));
    document
}

/// The schema of a whole number.
pub fn whole(least: i64) -> ObjectBuilder {
    let format = SchemaFormat::KnownFormat(KnownFormat::Int64);
    Object::builder().schema_type(Type::Integer).format(Some(format)).minimum(Some(least))
}

/// The fields of a flattened `Option<T>`, which are there together or not at all.
pub(crate) fn optional<T: PartialSchema>() -> RefOr<Schema> {
    let mut schema = T::schema();
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        object.required.clear();
    }
    schema
}

impl PartialSchema for Name {
    fn schema() -> RefOr<Schema> {
        Object::builder().schema_type(Type::String).pattern(Some(IDENTIFIER_PATTERN)).into()
    }
}

impl PartialSchema for Seed {
    fn schema() -> RefOr<Schema> {
        whole(0).maximum(Some(i64::from(u32::MAX))).into()
    }
}

impl PartialSchema for WrittenSpec {
    fn schema() -> RefOr<Schema> {
        let (root, _) = IN_OPENAPI.written();
        root.into()
    }
}

impl ToSchema for Name {}
impl ToSchema for Seed {}

impl ToSchema for WrittenSpec {
    fn name() -> Cow<'static, str> {
        IN_OPENAPI.root().into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let (_, definitions) = IN_OPENAPI.written();
        schemas.extend(definitions.into_iter().map(|(name, schema)| (name, schema.into())));
    }
}
