//! Schemas of bodies that handlers read or write field by field. The types exist only for the OpenAPI document.

#![expect(dead_code, reason = "only their schemas are used")]

use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::parameter::{Name, whole};

/// What is submitted.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = json!({ "recipe": "digits-mlp", "overrides": { "name": "mine", "seeds": [0, 1] } }))]
pub(super) enum SubmissionBody {
    Recipe(RecipeBody),
    Spec(SpecBody),
}

/// A built-in experiment with changes.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RecipeBody {
    #[schema(inline)]
    recipe: Name,
    /// Fields of the spec that replace those of the recipe.
    #[schema(value_type = Option<Object>)]
    overrides: Value,
}

/// An experiment spec. docs/spec.md has all fields.
#[derive(ToSchema)]
pub(super) struct SpecBody {
    #[schema(inline)]
    name: Name,
    #[schema(max_length = 100_000)]
    notes: Option<String>,
    #[schema(max_items = 50, value_type = Option<Vec<String>>)]
    tags: Option<Vec<Name>>,
    #[schema(min_items = 1, max_items = 10_000)]
    seeds: Option<Vec<Seed>>,
    #[schema(minimum = -1_000_000, maximum = 1_000_000)]
    priority: Option<i64>,
    /// Model, data, optimizer, schedule and length of the training.
    #[schema(value_type = Object)]
    train: Value,
    #[schema(min_items = 1, max_items = 1000)]
    arms: Vec<ArmBody>,
}

/// Feeds every random stream of a job.
pub(super) struct Seed(u32);

impl PartialSchema for Seed {
    fn schema() -> RefOr<Schema> {
        whole(0).maximum(Some(i64::from(u32::MAX))).into()
    }
}

impl ToSchema for Seed {}

/// A way of training.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ArmBody {
    #[schema(inline)]
    name: Name,
    #[schema(value_type = Object)]
    method: Value,
    /// Fields of `train` that this arm has otherwise.
    #[schema(value_type = Option<Object>)]
    train: Value,
}

/// What an edit changes; what is left out stays.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditBody {
    #[schema(inline)]
    name: Option<Name>,
    #[schema(max_length = 100_000)]
    notes: Option<String>,
    #[schema(max_items = 50, value_type = Option<Vec<String>>)]
    tags: Option<Vec<Name>>,
    archived: Option<bool>,
    /// Of its jobs that have not succeeded, and of seeds that are added later.
    #[schema(minimum = -1_000_000, maximum = 1_000_000)]
    priority: Option<i64>,
}

/// Seeds that every arm gets.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SeedsBody {
    #[schema(min_items = 1, max_items = 10_000)]
    seeds: Vec<Seed>,
}

/// One event of a stream, by its lines.
#[derive(ToSchema)]
pub(super) struct EventBody {
    /// `job`, `metrics`, `experiment`, `reset` or `alive`.
    event: String,
    /// JSON.
    data: String,
    /// For `Last-Event-ID`; `reset` and `alive` have none.
    id: Option<String>,
}

/// A token for a session.
#[derive(ToSchema)]
pub(super) struct TokenBody {
    token: String,
    /// The folder of the host that the page is in; all of it without.
    #[schema(pattern = "^[A-Za-z0-9._~%@+=:,/-]*$")]
    path: Option<String>,
}
