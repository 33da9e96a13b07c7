//! `/recipes`: the built-in experiments.

use axum::Json;
use optlab_api_types::{List, Recipe, RecipeDetail};
use optlab_spec::recipes;

use super::error::ApiError;
use super::extract::Path;

fn view(recipe: &recipes::Recipe) -> Recipe {
    Recipe { name: recipe.name.to_owned(), description: recipe.description() }
}

/// All recipes, the demo first.
#[utoipa::path(get, path = "/api/v1/recipes", tag = "recipes", responses((status = 200, body = List<Recipe>)))]
pub(super) async fn list() -> Json<List<Recipe>> {
    Json(List::whole(recipes::ALL.iter().map(view).collect()))
}

/// One recipe.
#[utoipa::path(get, path = "/api/v1/recipes/{name}", tag = "recipes",
    responses((status = 200, body = RecipeDetail)))]
pub(super) async fn get(Path(name): Path<String>) -> Result<Json<RecipeDetail>, ApiError> {
    let recipe =
        recipes::find(&name).map_err(|problems| ApiError::not_found(problems.list[0].detail.clone()))?;
    Ok(Json(RecipeDetail { recipe: view(recipe), spec: recipe.value(), toml: recipe.toml.to_owned() }))
}
