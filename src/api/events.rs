//! `/events`: the ring of hints as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{StreamExt, stream};
use optlab_domain::ExperimentId;
use serde::Deserialize;
use tokio_stream::wrappers::BroadcastStream;
use utoipa::IntoParams;

use super::error::ApiError;
use super::extract::Query;
use super::live::Hint;
use super::parameter::Id;
use super::state::AppState;
use crate::store::Secret;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Only what belongs to this experiment.
    #[param(inline)]
    experiment: Option<Id>,
}

/// Interval of `alive` events. A longer silence means that the stream is broken or buffered by a proxy.
const ALIVE: Duration = Duration::from_secs(10);

/// Server-sent events `job`, `metrics`, `experiment`, `reset` (fetch everything anew), and `alive`, at first and then
/// whenever there was nothing else for 10 seconds.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    params(Params, ("Last-Event-ID" = Option<String>, Header, description = "Of the last event that came: those since then come first")),
    responses((status = 200, description = "The events, until the client or the server goes", content_type = "text/event-stream", body = optlab_api_types::Event)))]
pub(super) async fn stream(
    State(state): State<AppState>,
    Query(params): Query<Params>,
    token: Option<Extension<Secret>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    let experiment: Option<ExperimentId> = Id::read(params.experiment, "experiment")?;
    let boot = state.live.boot;
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    // An id of another boot cannot be continued: it reads as a number that the ring does not have.
    let after = last_id.map(|id| parse_id(id, boot).unwrap_or(u64::MAX - 1));
    let (missed, future) = state.live.subscribe(after);
    let reset = missed.is_none().then(reset);
    let missed = missed.unwrap_or_default().into_iter();
    let wanted = move |hint: &Hint| experiment.is_none_or(|id| id == hint.experiment_id);
    let event = move |hint: Hint| {
        Event::default().event(hint.event).id(format!("{boot}-{}", hint.number)).data(hint.data)
    };
    let future = BroadcastStream::new(future).filter_map(move |received| async move {
        match received {
            Ok(hint) => wanted(&hint).then(|| event(hint)),
            Err(_lagged) => Some(self::reset()),
        }
    });
    let over = async move {
        tokio::select! {
            () = state.shutdown.cancelled() => {}
            () = state.access.revoked(token.map(|Extension(secret)| secret)) => {}
        }
    };
    let events = stream::iter([alive()])
        .chain(stream::iter(reset))
        .chain(stream::iter(missed.filter(move |hint| wanted(hint)).map(event)))
        .chain(future)
        .map(Ok::<_, Infallible>)
        .take_until(over);
    // Keeps nginx from buffering events.
    let headers = [("x-accel-buffering", "no"), ("cache-control", "no-store")];
    Ok((headers, Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE).event(alive()))))
}

fn parse_id(id: &str, boot: i64) -> Option<u64> {
    let (their_boot, number) = id.rsplit_once('-')?;
    (their_boot.parse() == Ok(boot)).then(|| number.parse().ok())?
}

fn alive() -> Event {
    Event::default().event("alive").data("{}")
}

fn reset() -> Event {
    Event::default().event("reset").data("{}")
}
