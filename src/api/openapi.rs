//! Completes the OpenAPI document: operation ids, error responses and security requirements.
//!
//! A handler documents its own successful responses. Error responses follow from the method, the parameters and the
//! body of an operation and are added here. A handler lists an error only if no rule covers it, by status alone:
//! `(status = 409)`.

use axum::http::{Method, StatusCode};
use optlab_api_types::{ExperimentHint, MetricsHint, ProblemDetails};
use optlab_spec::schema::Name;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, Content, Header, OpenApi, PathItem, Ref, RefOr, Required, Response, SecurityRequirement,
};
use utoipa::{OpenApi as _, PartialSchema, ToSchema};

use super::credentials::COOKIE;
use super::error::ApiError;
use super::parameter::Id;

/// Names of the security schemes: a bearer token and the session cookie.
const SCHEMES: [&str; 2] = ["token", "session"];

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "optlab", description = "Controlled experiments on Orthogonal Over-Parameterized Training"),
    components(schemas(ProblemDetails, ExperimentHint, MetricsHint))
)]
struct Description;

/// An error response and the operations that it applies to.
struct ErrorAnswer {
    status: u16,
    /// Name of the response in the components of the document.
    name: &'static str,
    when: &'static str,
    applies: fn(&Shape) -> bool,
}

/// Properties of an operation that determine its error responses.
struct Shape {
    writes: bool,
    requires_token: bool,
    has_path: bool,
    has_query: bool,
    has_body: bool,
}

const ERROR_ANSWERS: &[ErrorAnswer] = &[
    ErrorAnswer {
        status: 400,
        name: "Malformed",
        when: "The request cannot be read: a parameter is unknown or has another type, or the body is truncated or not JSON",
        applies: |shape| shape.has_body || shape.has_query,
    },
    ErrorAnswer {
        status: 401,
        name: "NoToken",
        when: "The request has no valid token",
        applies: |shape| shape.requires_token,
    },
    ErrorAnswer {
        status: 403,
        name: "NotAllowed",
        when: "The token may only read, or a page of another site sent the request",
        applies: |shape| shape.writes,
    },
    ErrorAnswer {
        status: 404,
        name: "NotFound",
        when: "Nothing has this id or name",
        applies: |shape| shape.has_path,
    },
    ErrorAnswer {
        status: 408,
        name: "TooSlow",
        when: "The body took too long",
        applies: |shape| shape.has_body,
    },
    ErrorAnswer {
        status: 409,
        name: "Conflict",
        when: "Its present state does not allow this",
        applies: never,
    },
    ErrorAnswer {
        status: 410,
        name: "FileGone",
        when: "The bytes of the file were removed or altered after they were stored",
        applies: never,
    },
    ErrorAnswer {
        status: 413,
        name: "TooLarge",
        when: "The body is too large",
        applies: |shape| shape.has_body,
    },
    ErrorAnswer {
        status: 415,
        name: "Compressed",
        when: "The body is compressed: the request has a `Content-Encoding`",
        applies: |shape| shape.has_body,
    },
    ErrorAnswer {
        status: 416,
        name: "NoSuchRange",
        when: "`Range` is not like bytes=0-99, or is beyond the end of the file",
        applies: never,
    },
    ErrorAnswer {
        status: 421,
        name: "ForeignHost",
        when: "A server that serves only its own machine was addressed by another host name",
        applies: |_| true,
    },
    ErrorAnswer {
        status: 422,
        name: "Impossible",
        when: "A value is invalid; `errors` has the path of each mistake in a body",
        applies: |shape| shape.has_body || shape.has_query,
    },
    ErrorAnswer {
        status: 500,
        name: "Internal",
        when: "Something failed inside the server",
        applies: |_| true,
    },
    ErrorAnswer {
        status: 503,
        name: "Busy",
        when: "The database or the file storage does not answer now; try again later",
        applies: |shape| shape.requires_token,
    },
    ErrorAnswer {
        status: 507,
        name: "NoRoom",
        when: "The disk of the database or of temporary files is full; nothing of the request was stored",
        applies: |shape| shape.writes && shape.requires_token,
    },
];

fn never(_: &Shape) -> bool {
    false
}

impl Shape {
    fn of(method: &Method, operation: &Operation) -> Self {
        let has = |place: ParameterIn| {
            let mut parameters = operation.parameters.iter().flatten();
            parameters.any(|parameter| matches!(parameter, RefOr::T(it) if it.parameter_in == place))
        };
        Self {
            writes: method != Method::GET,
            requires_token: operation.security.is_some(),
            has_path: has(ParameterIn::Path),
            has_query: has(ParameterIn::Query),
            has_body: operation.request_body.is_some(),
        }
    }
}

/// The document without routes: the components that operations refer to.
pub(super) fn description() -> OpenApi {
    let mut document = Description::openapi();
    let components = document.components.get_or_insert_with(Components::new);
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
        "A token from `optlab token create NAME`. A server on a loopback address needs none.",
    ));
    let session =
        ApiKeyValue::with_description(COOKIE, "The cookie that `POST /api/v1/session` sets for a token.");
    components.add_security_scheme(SCHEMES[0], SecurityScheme::Http(token.build()));
    components.add_security_scheme(SCHEMES[1], SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    for refusal in ERROR_ANSWERS {
        components.responses.insert(refusal.name.to_owned(), refusal.response().into());
    }
    document
}

/// Marks every operation added so far as requiring a token.
pub(super) fn requires_token(document: &mut OpenApi) {
    for (_, _, operation) in operations(document) {
        operation.security =
            Some(SCHEMES.map(|scheme| SecurityRequirement::new::<_, [&str; 0], &str>(scheme, [])).to_vec());
    }
}

/// Adds to every operation the responses that follow from its shape, and marks the fields of answers that may be null
/// as required.
pub(super) fn complete(document: &mut OpenApi) {
    let schemas = document.components.iter_mut().flat_map(|components| components.schemas.values_mut());
    schemas.for_each(require_nullable);
    for (path, method, operation) in operations(document) {
        operation.operation_id = Some(operation_id(path, &method));
        declare_path_parameters(path, operation);
        operation.parameters.iter_mut().flatten().for_each(bound);
        let shape = Shape::of(&method, operation);
        let responses = &mut operation.responses.responses;
        for (status, response) in responses.iter_mut() {
            describe(status, response);
        }
        for refusal in ERROR_ANSWERS {
            let status = refusal.status.to_string();
            if (refusal.applies)(&shape) || responses.contains_key(&status) {
                responses.insert(status, Ref::from_response_name(refusal.name).into());
            }
        }
    }
}

impl ErrorAnswer {
    fn response(&self) -> Response {
        let problem = Content::new(Some(Ref::from_schema_name(ProblemDetails::name())));
        let response = Response::builder().description(self.when).content(ApiError::CONTENT_TYPE, problem);
        match self.status {
            401 => response.header("WWW-Authenticate", Header::new(String::schema())),
            503 => response.header("Retry-After", Header::new(u32::schema())),
            _ => response,
        }
        .build()
    }
}

/// A unique id from method and path, because functions of different modules may have the same name.
fn operation_id(path: &str, method: &Method) -> String {
    let words = path.trim_start_matches("/api/v1").split('/').filter(|word| !word.is_empty());
    let words = words.map(|word| word.trim_matches(['{', '}']));
    words.fold(method.as_str().to_lowercase(), |id, word| format!("{id}_{word}"))
}

/// Adds the mandatory description to responses without one, from their status.
fn describe(status: &str, response: &mut RefOr<Response>) {
    if let RefOr::T(response) = response
        && response.description.is_empty()
        && let Ok(status) = StatusCode::from_bytes(status.as_bytes())
    {
        response.description = status.canonical_reason().unwrap_or_default().to_owned();
    }
}

/// Declares the parameters in a path that the argument of its handler does not: utoipa skips those of our own types.
fn declare_path_parameters(path: &str, operation: &mut Operation) {
    for name in path.split(['{', '}']).skip(1).step_by(2) {
        let declared = operation.parameters.get_or_insert_default();
        if !declared.iter().any(|parameter| matches!(parameter, RefOr::T(it) if it.name == name)) {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
            declared.push(RefOr::T(parameter.required(Required::True).build()));
        }
    }
}

/// Gives path parameters the bounds of ids and names.
fn bound(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(parameter) = parameter else { return };
    if parameter.parameter_in == ParameterIn::Path {
        parameter.schema = Some(match parameter.name.as_str() {
            "id" => Id::schema(),
            _ => Name::schema(),
        });
    }
    // An optional header can be absent but never null.
    if let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema
        && let SchemaType::Array(types) = &mut object.schema_type
    {
        types.retain(|kind| *kind != Type::Null);
    }
}

/// Marks the fields that may be null as required, because answers write null instead of leaving a field out. Requests,
/// in which such a field may be left out, are recognized by refusing unknown fields.
fn require_nullable(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) if object.additional_properties.is_none() => {
            let nullable = object.properties.iter().filter(|(_, schema)| may_be_null(schema));
            object.required.extend(nullable.map(|(name, _)| name.clone()));
        }
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(require_nullable),
        _ => {}
    }
}

fn may_be_null(schema: &RefOr<Schema>) -> bool {
    let allows_null = |kind: &SchemaType| match kind {
        SchemaType::Type(kind) => *kind == Type::Null,
        SchemaType::Array(kinds) => kinds.contains(&Type::Null),
        SchemaType::AnyValue => false,
    };
    match schema {
        RefOr::T(Schema::Object(object)) => allows_null(&object.schema_type),
        RefOr::T(Schema::Array(array)) => allows_null(&array.schema_type),
        RefOr::T(Schema::OneOf(either)) => either.items.iter().any(may_be_null),
        _ => false,
    }
}

fn operations(document: &mut OpenApi) -> impl Iterator<Item = (&str, Method, &mut Operation)> {
    document.paths.paths.iter_mut().flat_map(|(path, item)| {
        let PathItem { get, put, post, delete, patch, .. } = item;
        let methods = [
            (Method::GET, get),
            (Method::PUT, put),
            (Method::POST, post),
            (Method::DELETE, delete),
            (Method::PATCH, patch),
        ];
        methods
            .into_iter()
            .filter_map(move |(method, operation)| Some((path.as_str(), method, operation.as_mut()?)))
    })
}
