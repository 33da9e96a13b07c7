//! Every error of the API as `application/problem+json` (RFC 9457). Only this file maps errors to HTTP.

use std::io;
use std::time::Duration;

use axum::Json;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use optlab_api_types::ProblemDetails;
use optlab_domain::JobId;
use optlab_spec::submission::DocumentError;
use optlab_spec::{Problems, shorten};

use crate::artifacts::ArtifactError;
use crate::exchange::ExchangeError;
use crate::store::{QueryError, StoreError};

/// Maximum length of a detail, in bytes, because most details quote the request.
const LONGEST_DETAIL: usize = 4000;

/// An error that is answered as a problem document.
#[derive(Debug)]
pub struct ApiError {
    /// Boxed, because most functions return it as the rare variant of a result.
    problem: Box<ProblemDetails>,
    /// The cause, for the log only.
    cause: Option<String>,
}

impl ApiError {
    pub(super) const CONTENT_TYPE: &str = "application/problem+json";

    /// An error with nothing known but its status.
    pub(super) fn bare(status: StatusCode) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self::new(status, "http", title, "/api/docs lists all routes")
    }

    /// A write from a page of another site; the arguments are the headers that name the page, if they are set.
    pub(super) fn foreign_origin(origin: &str, site: Option<&str>, host: &str) -> Self {
        let page = match (origin, site) {
            ("", Some(site)) => format!(" (`Sec-Fetch-Site: {site}`)"),
            ("", None) => ", whose origin cannot be read".to_owned(),
            (origin, _) => format!(", `{origin}`"),
        };
        let detail = format!(
            "this write comes from a page of another site{page}; this server was called `{host}`, and only its own \
             page and programs may write. If a proxy stands between them, it must pass the name and the port on: for \
             nginx, `proxy_set_header Host $http_host;`"
        );
        Self::new(StatusCode::FORBIDDEN, "foreign-origin", "Request from another site", detail)
    }

    pub(super) fn foreign_host(host: &str) -> Self {
        let detail = format!(
            "this server answers this machine only, as localhost or 127.0.0.1, and not as `{host}`; to answer other \
             machines, or a proxy that passes their name on, it must --listen on another address, such as \
             0.0.0.0:8080, where it asks for tokens"
        );
        Self::new(StatusCode::MISDIRECTED_REQUEST, "foreign-host", "Unknown host name", detail)
    }

    pub(super) fn no_token() -> Self {
        let detail = "this server requires a token: sign in on its page, set OPTLAB_TOKEN for commands, or \
                      send `Authorization: Bearer TOKEN`. Its operator creates tokens with `optlab token create NAME`";
        Self::new(StatusCode::UNAUTHORIZED, "no-token", "Token required", detail)
    }

    pub(super) fn unknown_token() -> Self {
        let detail = "this server does not know the token of the request: it was revoked, or belongs to another server. \
                      `optlab token list`, on the machine of the database, shows the valid tokens";
        Self::new(StatusCode::UNAUTHORIZED, "no-token", "Token required", detail)
    }

    pub(super) fn read_only() -> Self {
        let detail = "this token has the scope `read`; changes need a token with the scope `write`";
        Self::new(StatusCode::FORBIDDEN, "read-only", "The token may only read", detail)
    }

    fn new(status: StatusCode, slug: &str, title: &str, detail: impl Into<String>) -> Self {
        let kind = format!("urn:optlab:problem:{slug}");
        let mut detail = detail.into();
        shorten(&mut detail, LONGEST_DETAIL);
        let status = status.as_u16();
        let problem = ProblemDetails { kind, title: title.to_owned(), status, detail, errors: Vec::new() };
        Self { problem: Box::new(problem), cause: None }
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    pub(super) fn method_not_allowed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
    }

    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The request cannot be read", detail)
    }

    pub(super) fn invalid_parameter(detail: impl Into<String>) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, "invalid-parameter", "A parameter has an invalid value", detail)
    }

    pub(super) fn invalid_import(detail: impl Into<String>) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, "invalid-import", "The file cannot be imported", detail)
    }

    pub(super) fn too_large(limit: u64) -> Self {
        let detail = format!("a request body may have at most {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large", detail)
    }

    pub(super) fn encoded() -> Self {
        let (status, title) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is compressed");
        Self::new(status, "encoded", title, "send the body uncompressed, without `Content-Encoding`")
    }

    pub(super) fn unsatisfiable_range(bytes: u64) -> Self {
        let detail = format!("`Range` must be like bytes=0-99, within the {bytes} bytes of the file");
        Self::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "unsatisfiable-range",
            "The range is not in the file",
            detail,
        )
    }

    pub(super) fn crowded() -> Self {
        let detail = "all connections of the server are busy; try again soon. \
                      Their number is limited by the open files that its process may have (`ulimit -n`)";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "crowded", "Too many connections", detail)
    }

    pub(super) fn too_slow(limit: Duration) -> Self {
        let detail = format!("the body did not arrive within {} seconds", limit.as_secs());
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "The body took too long", detail)
    }

    /// A temporary file cannot be written.
    pub(super) fn no_temporary_file(error: &io::Error) -> Self {
        let cause = format!("cannot write a temporary file in {}: {error}", std::env::temp_dir().display());
        let detail = format!(
            "the server cannot write to its folder for temporary files: {error}. Free space there, or set TMPDIR of the \
             server to another folder"
        );
        if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            let (status, title) = (StatusCode::INSUFFICIENT_STORAGE, "No room for a temporary file");
            return Self::new(status, "temporary-storage-full", title, detail).logged(cause);
        }
        let (status, title) = (StatusCode::SERVICE_UNAVAILABLE, "No folder for temporary files");
        Self::new(status, "temporary-storage-failing", title, detail).logged(cause)
    }

    /// A bug or a broken machine. Only the log has the cause.
    pub(super) fn failed(error: &dyn std::fmt::Display) -> Self {
        Self::internal().logged(error)
    }

    /// Logs the cause when the error is answered.
    fn logged(self, cause: impl ToString) -> Self {
        Self { cause: Some(cause.to_string()), ..self }
    }

    pub(super) fn internal() -> Self {
        let detail = "something failed inside the server; its log has the cause";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { problem, cause } = self;
        if let Some(cause) = cause {
            tracing::error!("a request failed: {cause}");
        }
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(*problem)).into_response();
        let kind = HeaderValue::from_static(Self::CONTENT_TYPE);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        let more = match status {
            StatusCode::SERVICE_UNAVAILABLE => Some((header::RETRY_AFTER, "1")),
            StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, "Bearer")),
            _ => None,
        };
        if let Some((name, value)) = more {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl ApiError {
    /// The file `name` of a job cannot be read.
    pub(super) fn no_file(job: JobId, name: &str, error: &ArtifactError) -> Self {
        let cause = format!("`{name}` of job {job} cannot be read: {error}");
        let what = match error {
            ArtifactError::Missing(_) => "has been removed since",
            ArtifactError::Altered(_) => "has been altered since",
            ArtifactError::Root(_) | ArtifactError::Stored { .. } | ArtifactError::File { .. } => {
                let detail = format!(
                    "the storage of `{name}` of job {job} cannot be read now; the log of the server has the cause"
                );
                return Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "files-away",
                    "The file storage does not answer",
                    detail,
                )
                .logged(cause);
            }
        };
        let detail = format!("`{name}` of job {job} was stored, but {what}");
        Self::new(StatusCode::GONE, "file-gone", "The file is gone", detail).logged(cause)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

impl From<&StoreError> for ApiError {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::NotFound { .. } => Self::not_found(error.to_string()),
            StoreError::Conflict(detail) => {
                Self::new(StatusCode::CONFLICT, "conflict", "Not possible now", detail.as_str())
            }
            StoreError::BrokenOff => Self::invalid_import(error.to_string()),
            StoreError::KeyReused => {
                let title = "Idempotency-Key reused";
                Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "idempotency-key-reused",
                    title,
                    error.to_string(),
                )
            }
            StoreError::Busy | StoreError::Away => {
                let title = "Busy, try again";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", title, error.to_string())
            }
            StoreError::Full => {
                let (status, title) = (StatusCode::INSUFFICIENT_STORAGE, "No room for the database");
                Self::new(status, "database-full", title, error.to_string()).logged(error)
            }
            StoreError::Failing(_) => {
                let (status, title) = (StatusCode::SERVICE_UNAVAILABLE, "The database fails");
                Self::new(status, "database-failing", title, error.to_string()).logged(error)
            }
            // The store has logged it, with the path.
            StoreError::Moved => {
                let (status, title) = (StatusCode::SERVICE_UNAVAILABLE, "The database file is gone");
                Self::new(status, "database-moved", title, error.to_string())
            }
            _ => Self::failed(error),
        }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        let (slug, title, detail) = match error {
            QueryError::TooManyQueries | QueryError::UnendingQueries(_) => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                return Self::new(status, "busy", "Busy, try again", error.to_string());
            }
            QueryError::Refused(detail) => ("query-refused", "The query is not allowed", detail),
            QueryError::Invalid(detail) => ("query-invalid", "The query is invalid", detail),
            QueryError::Stopped(detail) => ("query-stopped", "The query exceeded a limit", detail),
            QueryError::Failed(_) => return Self::failed(&error),
            QueryError::Store(error) => return error.into(),
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, slug, title, detail)
    }
}

impl From<ExchangeError> for ApiError {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Refused(detail) => Self::invalid_import(detail),
            ExchangeError::Io(error) => Self::failed(&error),
        }
    }
}

impl From<Problems> for ApiError {
    fn from(problems: Problems) -> Self {
        let detail = match problems.list.as_slice() {
            [one] => one.to_string(),
            many => format!("{} mistakes; the first: {}", problems.total, many[0]),
        };
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let mut error = Self::new(status, "invalid-spec", "The spec has mistakes", detail);
        error.problem.errors = problems.list;
        error
    }
}

impl From<DocumentError> for ApiError {
    fn from(refusal: DocumentError) -> Self {
        match refusal {
            DocumentError::Malformed(detail) => Self::malformed(detail),
            DocumentError::Invalid(problems) => problems.into(),
        }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        let text = rejection.body_text();
        let problem = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
        Self::malformed(format!("query string: {problem}"))
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::not_found(match &rejection {
            PathRejection::FailedToDeserializePathParams(error) => match error.kind() {
                ErrorKind::ParseError { value, .. } | ErrorKind::ParseErrorAtKey { value, .. } => {
                    format!("path: `{value}` is not an id")
                }
                kind => format!("path: {kind}"),
            },
            rejection => format!("path: {}", rejection.body_text()),
        })
    }
}
