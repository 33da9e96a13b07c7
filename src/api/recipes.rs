//! `/recipes`: the built-in experiments.

use axum::Json;
use optlab_spec::recipes::{self, Recipe};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::error::ApiError;
use super::extract::Path;
use super::views::List;

/// A built-in experiment.
#[derive(Serialize, ToSchema)]
pub(super) struct RecipeView {
    name: &'static str,
    /// What it is for.
    description: String,
}

/// A built-in experiment with its spec, as it is written.
#[derive(Serialize, ToSchema)]
pub(super) struct RecipeDetail {
    #[serde(flatten)]
    recipe: RecipeView,
    #[schema(value_type = Object)]
    spec: Value,
    /// The file, comments included.
    toml: &'static str,
}

impl From<&Recipe> for RecipeView {
    fn from(recipe: &Recipe) -> Self {
        Self { name: recipe.name, description: recipe.description() }
    }
}

/// All recipes, the demo first.
#[utoipa::path(get, path = "/api/v1/recipes", tag = "recipes", responses((status = 200, body = List<RecipeView>)))]
pub(super) async fn list() -> Json<List<RecipeView>> {
    Json(List { items: recipes::ALL.iter().map(RecipeView::from).collect(), next_cursor: None })
}

/// One recipe.
#[utoipa::path(get, path = "/api/v1/recipes/{name}", tag = "recipes",
    responses((status = 200, body = RecipeDetail)))]
pub(super) async fn get(Path(name): Path<String>) -> Result<Json<RecipeDetail>, ApiError> {
    let recipe =
        recipes::find(&name).map_err(|problems| ApiError::not_found(problems.list[0].detail.clone()))?;
    Ok(Json(RecipeDetail { recipe: recipe.into(), spec: recipe.value(), toml: recipe.toml }))
}
