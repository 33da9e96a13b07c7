//! `/query`: read-only SQL of the user.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use optlab_api_types::{Question, Table};
use serde::Deserialize;

use super::error::ApiError;
use super::extract::{Document, bounded};
use super::state::AppState;
use crate::store::MOST_ROWS;

const PATH: &str = "/api/v1/query";

/// Default limit on the rows of an answer.
const ROWS: i64 = 1_000;

/// Queries the database. The statement can only read, and is stopped if it exceeds a limit of time or size.
#[utoipa::path(post, path = PATH, tag = "query", request_body = Question,
    responses((status = 200, body = Table)))]
pub(super) async fn run(
    State(state): State<AppState>,
    document: Document,
) -> Result<impl IntoResponse, ApiError> {
    let question = Question::deserialize(&document.value).map_err(|error| {
        ApiError::malformed(format!("the body must be {{\"sql\": SQL, \"limit\": ROWS}}: {error}"))
    })?;
    let limit = bounded("limit", question.limit, ROWS, 1..=MOST_ROWS as i64)?;
    let answer = state.queries.query(question.sql, limit as usize).await?;
    // The store has already written the answer as the JSON of a `Table`.
    Ok(([(CONTENT_TYPE, "application/json")], answer.json))
}
