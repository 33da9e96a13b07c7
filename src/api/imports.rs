//! `/imports`: experiments of other servers.

use std::fs::File;
use std::io::{Seek, Write};
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt;
use optlab_api_types::Submitted;
use tokio::sync::mpsc;
use tokio::task::{block_in_place, spawn_blocking};
use tokio::time::timeout;

use super::error::ApiError;
use super::experiments::submitted;
use super::state::AppState;
use crate::exchange::ParquetReader;

/// Time without data after which a client counts as gone.
const SILENCE: Duration = Duration::from_secs(30);
/// Batches of points that wait for the store.
const WAITING: usize = 4;

/// Imports a Parquet export of another server, or of this one. The experiment and its jobs get new ids. The export has
/// no files of jobs, and a job that had not ended is imported as cancelled.
#[utoipa::path(post, path = "/api/v1/imports", tag = "experiments",
    request_body(content = String, content_type = "application/vnd.apache.parquet", description = "The file"),
    responses((status = 201, body = Submitted)))]
pub(super) async fn import(
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Submitted>), ApiError> {
    let file = receive(&headers, body, state.settings.import_limit()).await?;
    let reader = spawn_blocking(|| ParquetReader::open(file)).await.map_err(damaged)??;
    let import = reader.import().clone();
    let (sender, points) = mpsc::channel(WAITING);
    let reading = spawn_blocking(move || reader.for_each(|batch| sender.blocking_send(batch).is_ok()));
    // A task of its own, because the store cleans up only after imports that it ends itself, so a client that
    // disconnects must not cancel one.
    let store = state.store.clone();
    let stored = tokio::spawn(async move { store.import(&import, points).await }).await;
    reading.await.map_err(damaged)??;
    let id = stored.map_err(|error| ApiError::failed(&error))??;
    Ok((StatusCode::CREATED, Json(submitted(&state, id).await?)))
}

/// The body in an unnamed temporary file, which disappears with its last handle, even if this process is killed.
async fn receive(headers: &HeaderMap, body: Body, limit: u64) -> Result<File, ApiError> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > limit) {
        return Err(ApiError::too_large(limit));
    }
    let mut file = tempfile::tempfile().map_err(|error| ApiError::no_temporary_file(&error))?;
    let (mut chunks, mut received) = (body.into_data_stream(), 0);
    while let Some(chunk) = timeout(SILENCE, chunks.next()).await.map_err(|_| ApiError::too_slow(SILENCE))? {
        let chunk = chunk.map_err(|error| ApiError::malformed(format!("the body is incomplete: {error}")))?;
        received += chunk.len() as u64;
        if received > limit {
            return Err(ApiError::too_large(limit));
        }
        block_in_place(|| file.write_all(&chunk)).map_err(|error| ApiError::no_temporary_file(&error))?;
    }
    file.rewind().map_err(|error| ApiError::failed(&error))?;
    Ok(file)
}

/// The error for a file that made its parser panic.
fn damaged(error: tokio::task::JoinError) -> ApiError {
    tracing::warn!(%error, "an import cannot be read");
    ApiError::invalid_import("the file is damaged")
}
