//! Extractors whose rejections are problem+json.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::http::request::Parts;
use futures_util::StreamExt;
use optlab_spec::NO_NUL;
use optlab_spec::submission::{DocumentError, is_json, parse_json, parse_toml};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::form_urlencoded;

use super::error::ApiError;

/// Maximum size of a request body, in bytes.
pub const BODY_LIMIT: usize = 1_000_000;
/// Number of bytes after which reading of a too large body stops.
const READ_AT_MOST: usize = 64 * BODY_LIMIT;
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Parameters of the query string.
pub(super) struct Query<T>(pub(super) T);

/// Parameters of the path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        for (name, value) in pairs {
            if name.contains('\0') || value.contains('\0') {
                return Err(ApiError::invalid_parameter(format!("`{}` {NO_NUL}", name.escape_debug())));
            }
        }
        let axum::extract::Query(parameters) = axum::extract::Query::from_request_parts(parts, state).await?;
        Ok(Self(parameters))
    }
}

/// A body: TOML if its content type says so, JSON otherwise, because `curl -d` names another type.
pub(super) struct Document {
    /// The text as it was sent.
    pub(super) text: String,
    /// The parsed text.
    pub(super) value: Value,
}

impl<S: Send + Sync> FromRequest<S> for Document {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let is_toml = content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"application/toml"));
        let body = tokio::time::timeout(BODY_TIMEOUT, read_body(request.into_body())).await;
        let bytes = body.map_err(|_| ApiError::too_slow(BODY_TIMEOUT))??;
        let language = if is_toml { "TOML" } else { "JSON" };
        let text = String::from_utf8(bytes)
            .map_err(|error| ApiError::malformed(format!("not {language}: {}", error.utf8_error())))?;
        let value = match is_toml {
            true => parse_toml(&text)?,
            false => parse_json(text.as_bytes()).map_err(|error| match error {
                DocumentError::Malformed(detail) if !is_json(&text) => {
                    ApiError::malformed(format!("{detail} (TOML needs `content-type: application/toml`)"))
                }
                error => error.into(),
            })?,
        };
        Ok(Self { text, value })
    }
}

/// The body, if it is not too large. More of a too large body is read and discarded for a while, because a client that
/// is still sending would not see the answer.
async fn read_body(body: Body) -> Result<Vec<u8>, ApiError> {
    let mut chunks = body.into_data_stream();
    let (mut kept, mut received) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| ApiError::malformed(format!("the body is incomplete: {error}")))?;
        received += chunk.len();
        if received <= BODY_LIMIT {
            kept.extend_from_slice(&chunk);
        } else if received > READ_AT_MOST {
            break;
        }
    }
    if received > BODY_LIMIT { Err(ApiError::too_large(BODY_LIMIT as u64)) } else { Ok(kept) }
}

/// A numeric parameter within its bounds.
pub(super) fn bounded(
    name: &str,
    given: Option<i64>,
    default: i64,
    range: RangeInclusive<i64>,
) -> Result<i64, ApiError> {
    let value = given.unwrap_or(default);
    if range.contains(&value) {
        return Ok(value);
    }
    let (from, to) = (range.start(), range.end());
    Err(ApiError::invalid_parameter(format!("`{name}` must be from {from} to {to}, is {value}")))
}
