//! `/query`: SQL of the user's own, which can only read.

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

/// Rows of an answer to a query that says nothing of them.
const ROWS: i64 = 1_000;

/// Asks the database. The statement can only read, and is stopped when it takes too long or too much.
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
    // The store has written it as the JSON of a `Table`, row by row.
    Ok(([(CONTENT_TYPE, "application/json")], answer.json))
}
