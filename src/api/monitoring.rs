//! `/metrics`: figures for monitoring in the text format of Prometheus. docs/operations.md lists the names.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use optlab_domain::EndReason;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::error::ApiError;
use super::request_count::Requests;
use super::state::AppState;
use crate::store::{Activity, Census};

const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// Figures for Prometheus: the present queue, and the activity of this process since its start.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "OpenMetrics text", content_type = "application/openmetrics-text",
               body = String)))]
pub(super) async fn metrics(State(state): State<AppState>) -> Result<Response, ApiError> {
    let registry = registry(&state.store.census().await?, state.store.activity(), &state.requests);
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| ApiError::failed(&error))?;
    Ok(([(header::CONTENT_TYPE, TEXT)], text).into_response())
}

/// A registry for one answer, so that concurrent readers do not affect each other. The counters are shared, not copied.
fn registry(census: &Census, activity: &Activity, requests: &Requests) -> Registry {
    let jobs = Family::<StateLabel, Gauge>::default();
    for (state, count) in census.jobs.by_state() {
        jobs.get_or_create_owned(&StateLabel { state: state.into() }).set(count);
    }
    let attempts = Family::<ReasonLabel, Counter>::default();
    // Reasons that alerts use are present from the start, with the count 0.
    for reason in [EndReason::WorkerLost, EndReason::RunnerCrashed, EndReason::MachineFault] {
        attempts.get_or_create_owned(&ReasonLabel { reason: reason.into() });
    }
    for &(reason, count) in &census.attempts_ended {
        attempts.get_or_create_owned(&ReasonLabel { reason: reason.into() }).inc_by(count as u64);
    }
    let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);

    let mut registry = Registry::with_prefix("optlab");
    registry.register("build", "Version of this server", build);
    registry.register("jobs", "Jobs by state", jobs);
    registry.register("attempts_ended", "Attempts that have ended, by reason", attempts);
    registry.register_with_unit(
        "claim_wait",
        "Time from when a job could be claimed until this process claimed it",
        Unit::Seconds,
        activity.claim_waits.clone(),
    );
    registry.register("points_stored", "Points of curves that this process stored", activity.points.clone());
    registry.register("http_requests", "Requests that this process answered", requests.clone());
    registry
}
