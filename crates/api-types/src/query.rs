//! SQL of users.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A query.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// One SELECT, WITH or VALUES in the SQL of the server's database. docs/database.md describes the tables.
    pub sql: String,
    /// Maximum number of rows, 1 to 10,000; default 1,000.
    #[schema(minimum = 1, maximum = 10_000)]
    pub limit: Option<i64>,
}

/// The answer of the database.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Table {
    /// Names of the columns as the statement gives them; they may repeat.
    pub columns: Vec<String>,
    /// One value per column: null, a number, a text, true or false, or `{"hex": "00ff"}` for bytes. Integers are exact, also
    /// beyond 2^53. A number that JSON cannot represent is the text `NaN`, `Infinity` or `-Infinity`.
    pub rows: Vec<Vec<Value>>,
    /// Whether rows are missing because of `limit`, or because they would take more than 8 MB.
    pub truncated: bool,
}
