//! Built-in experiments.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A built-in experiment.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Recipe {
    /// Its name.
    pub name: String,
    /// Its purpose.
    pub description: String,
}

/// A built-in experiment with its spec.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RecipeDetail {
    /// The fields that lists also have.
    #[serde(flatten)]
    pub recipe: Recipe,
    /// The spec as it is written.
    #[schema(value_type = serde_json::Map<String, Value>)]
    pub spec: Value,
    /// The file with its comments.
    pub toml: String,
}
