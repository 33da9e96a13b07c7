//! Schemas of fields, for the derived schemas of a resolved spec.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::fields::IDENTIFIER_PATTERN;

/// The schema of a name in a spec.
pub struct Name;

/// The schema of a seed.
pub struct Seed;

/// The schema of an integer.
pub fn whole(least: i64) -> ObjectBuilder {
    let format = SchemaFormat::KnownFormat(KnownFormat::Int64);
    Object::builder().schema_type(Type::Integer).format(Some(format)).minimum(Some(least))
}

/// The fields of a flattened `Option<T>`, which are present together or not at all.
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

impl ToSchema for Name {}
impl ToSchema for Seed {}
