//! The schema of a spec as people write it, for the OpenAPI document and for editors. It is derived from the schemas of
//! a resolved spec.

mod place;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use self::place::Place;

/// Path of the schemas of both forms in the OpenAPI document.
const IN_OPENAPI: Place = Place { path: "#/components/schemas/", prefix: "Written" };

/// Path of the schemas of the written form in a standalone JSON Schema.
const ALONE: Place = Place { path: "#/definitions/", prefix: "" };

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

impl PartialSchema for WrittenSpec {
    fn schema() -> RefOr<Schema> {
        let (root, _) = IN_OPENAPI.written();
        root.into()
    }
}

impl ToSchema for WrittenSpec {
    fn name() -> Cow<'static, str> {
        IN_OPENAPI.root().into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let (_, definitions) = IN_OPENAPI.written();
        schemas.extend(definitions.into_iter().map(|(name, schema)| (name, schema.into())));
    }
}
