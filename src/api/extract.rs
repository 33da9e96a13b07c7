//! Extractors whose refusals are problem+json too.

use std::ops::RangeInclusive;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use optlab_spec::submission::{parse_json, parse_toml};
use serde_json::Value;

use super::error::ApiError;

/// Parameters after the `?`.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub(super) struct Query<T>(pub(super) T);

/// Parameters of the path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub(super) struct Path<T>(pub(super) T);

/// A body: TOML where it says so, JSON otherwise, whatever `curl -d` calls it.
pub(super) struct Document {
    /// What was sent, byte for byte.
    pub(super) bytes: Bytes,
    /// What it says.
    pub(super) value: Value,
}

impl<S: Send + Sync> FromRequest<S> for Document {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let is_toml = content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"application/toml"));
        let bytes = Bytes::from_request(request, state).await?;
        let value = if is_toml {
            let text = std::str::from_utf8(&bytes)
                .map_err(|error| ApiError::malformed(format!("not TOML: {error}")))?;
            parse_toml(text)?
        } else {
            parse_json(&bytes)?
        };
        Ok(Self { bytes, value })
    }
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
