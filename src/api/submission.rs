//! `/experiments/{id}/submission`: the text of a submission, and the draft of a copy.

use axum::Json;
use axum::extract::State;
use optlab_api_types::StoredSubmission;
use optlab_domain::ExperimentId;
use optlab_spec::written::WrittenSpec;

use super::error::ApiError;
use super::extract::Path;
use super::state::AppState;

/// The submission of one experiment.
#[utoipa::path(get, path = "/api/v1/experiments/{id}/submission", tag = "experiments",
    responses((status = 200, body = StoredSubmission)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
) -> Result<Json<StoredSubmission>, ApiError> {
    let spec = state.store.experiment(id).await?.spec;
    let text = state.store.submitted_text(id).await?;
    Ok(Json(StoredSubmission { draft: WrittenSpec(spec.draft(text.as_deref())), text }))
}
