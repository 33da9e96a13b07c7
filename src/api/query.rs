//! `/query`: SQL of the user's own, which can only read.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::AppState;
use super::error::ApiError;
use super::extract::{Document, bounded};
use crate::store::MOST_ROWS;

pub(super) const PATH: &str = "/api/v1/query";

/// Rows of an answer to a query that says nothing of them.
const ROWS: i64 = 1_000;

/// What is asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// One SELECT, WITH or VALUES in the SQL of the server's database. docs/database.md has its tables.
    sql: String,
    /// The most rows of the answer, 1 to 10,000; 1,000 where it is left out.
    #[schema(minimum = 1, maximum = 10_000)]
    limit: Option<i64>,
}

/// What the database answers.
// The store encodes the answer as JSON, see `QueryAnswer`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub(super) struct TableView {
    /// Names, as the statement gives them; they may repeat.
    columns: Vec<String>,
    /// One value a column: null, a number, a text, true or false, or `{"hex": "00ff"}` for bytes. Integers are exact, also
    /// those beyond 2^53. A number that JSON does not have is the text `NaN`, `Infinity` or `-Infinity`.
    rows: Vec<Vec<Value>>,
    /// Whether there are more rows than `limit`, or than have room in 8 MB.
    truncated: bool,
}

/// Asks the database. The statement can only read, and is stopped when it takes too long or too much.
#[utoipa::path(post, path = PATH, tag = "query", request_body = Question,
    responses((status = 200, body = TableView)))]
pub(super) async fn run(
    State(state): State<AppState>,
    document: Document,
) -> Result<impl IntoResponse, ApiError> {
    let question = Question::deserialize(&document.value).map_err(|error| {
        ApiError::malformed(format!("the body must be {{\"sql\": SQL, \"limit\": ROWS}}: {error}"))
    })?;
    let limit = bounded("limit", question.limit, ROWS, 1..=MOST_ROWS as i64)?;
    let answer = state.queries.query(question.sql, limit as usize).await?;
    Ok(([(CONTENT_TYPE, "application/json")], answer.json))
}
