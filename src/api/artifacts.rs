//! `/jobs/{id}/artifacts` and `/jobs/{id}/logs`: files of jobs, and logs of runners.

use std::ops::Range;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use optlab_api_types::{Artifact, List};
use optlab_domain::{ArtifactKind, AttemptNumber, JobId};
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::ApiError;
use super::extract::{Path, Query};
use super::parameter::{Id, Whole};
use super::state::AppState;
use crate::store;

impl From<store::Artifact> for Artifact {
    fn from(artifact: store::Artifact) -> Self {
        Self {
            name: artifact.name,
            kind: artifact.kind,
            attempt: artifact.attempt,
            step: artifact.step,
            bytes: artifact.bytes,
            sha256: artifact.sha256,
        }
    }
}

/// The files of a job.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/artifacts", tag = "jobs",
    responses((status = 200, body = List<Artifact>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    Path(id): Path<JobId>,
) -> Result<Json<List<Artifact>>, ApiError> {
    let items = state.store.artifacts(id).await?.into_iter().map(Artifact::from).collect();
    Ok(Json(List::whole(items)))
}

/// The content of a file, or a range of its bytes.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/artifacts/{name}", tag = "jobs",
    params(("id" = i64, Path), ("name", Path), ("Range" = Option<String>, Header, description = "A range of bytes; of several ranges, only the first is answered")),
    responses((status = 200, description = "The whole file", content_type = "application/octet-stream", body = String,
               headers(("ETag" = String), ("Accept-Ranges" = String), ("Content-Disposition" = String))),
              (status = 206, description = "A range of the file", content_type = "application/octet-stream", body = String,
               headers(("ETag" = String), ("Content-Range" = String))),
              (status = 410), (status = 416)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path((id, name)): Path<(JobId, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let artifacts = state.store.artifacts(id).await?;
    let artifact = artifacts.into_iter().find(|artifact| artifact.name == name);
    let artifact =
        artifact.ok_or_else(|| ApiError::not_found(format!("job {id} has no artifact `{name}`")))?;
    let bytes = artifact.bytes as u64;
    let range = headers.get(header::RANGE).map(|wanted| range(wanted, bytes)).transpose()?;
    let body = body(&state, id, &artifact, range.clone()).await?;
    let common = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, format!("\"{}\"", artifact.sha256)),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"job{id}-{name}\"")),
    ];
    Ok(match range {
        None => (common, [(header::CONTENT_LENGTH, bytes.to_string())], body).into_response(),
        Some(range) => (StatusCode::PARTIAL_CONTENT, common, part(&range, bytes), body).into_response(),
    })
}

/// The headers of a range of a file with this number of bytes.
fn part(range: &Range<u64>, bytes: u64) -> [(header::HeaderName, String); 2] {
    let Range { start, end } = range;
    [
        (header::CONTENT_LENGTH, (end - start).to_string()),
        (header::CONTENT_RANGE, format!("bytes {start}-{}/{bytes}", end - 1)),
    ]
}

async fn body(
    state: &AppState,
    job: JobId,
    artifact: &store::Artifact,
    range: Option<Range<u64>>,
) -> Result<Body, ApiError> {
    let chunks = state.artifacts.read(&artifact.path, artifact.bytes as u64, range).await;
    let chunks = chunks.map_err(|error| ApiError::no_file(job, &artifact.name, &error))?;
    Ok(Body::from_stream(chunks))
}

/// The first requested range.
fn range(wanted: &header::HeaderValue, bytes: u64) -> Result<Range<u64>, ApiError> {
    let refused = || ApiError::unsatisfiable_range(bytes);
    let text = wanted.to_str().map_err(|_| refused())?;
    let parsed = http_range_header::parse_range_header(text).map_err(|_| refused())?;
    let ranges = parsed.validate(bytes).map_err(|_| refused())?;
    let first = ranges.first().ok_or_else(refused)?;
    Ok(*first.start()..first.end() + 1)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct LogParams {
    /// Number of an attempt; default: the last one with a log.
    #[param(inline)]
    attempt: Option<Id>,
    /// Number of bytes to skip at the beginning.
    #[param(inline)]
    #[serde(default)]
    offset: Whole<0, { i64::MAX }, 0>,
}

/// The log of the runner: up to the last checkpoint of a running attempt, or the whole log of an attempt that has
/// ended.
///
/// A log of more than 16 MiB keeps its beginning and its end; a line between them states how many bytes are left out.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/logs", tag = "jobs", params(LogParams),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 410)))]
pub(super) async fn logs(
    State(state): State<AppState>,
    Path(id): Path<JobId>,
    Query(params): Query<LogParams>,
) -> Result<Response, ApiError> {
    let attempt: Option<AttemptNumber> = Id::read(params.attempt, "attempt")?;
    let offset = params.offset.read("offset")? as u64;
    let logs = state.store.artifacts(id).await?.into_iter().filter(|a| a.kind == ArtifactKind::Log);
    let wanted = logs.filter(|log| attempt.is_none_or(|attempt| log.attempt == attempt));
    let Some(log) = wanted.max_by_key(|log| log.attempt) else {
        return Err(no_log(&state, id, attempt).await?);
    };
    let bytes = log.bytes as u64;
    let body =
        if offset < bytes { body(&state, id, &log, Some(offset..bytes)).await? } else { Body::empty() };
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response())
}

async fn no_log(state: &AppState, job: JobId, attempt: Option<AttemptNumber>) -> Result<ApiError, ApiError> {
    let ended = state.store.job(job).await?.record.state.has_ended();
    Ok(ApiError::not_found(match attempt {
        Some(attempt) => format!("attempt {attempt} of job {job} has no log"),
        None if ended => {
            format!("job {job} has no log: no attempt has started, or the job was imported without its files")
        }
        None => format!(
            "job {job} has no log yet: the log is stored with every checkpoint and at the end of an attempt"
        ),
    }))
}
