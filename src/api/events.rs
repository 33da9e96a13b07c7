//! `/events`: the ring of hints as server-sent events.

use std::convert::Infallible;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use tokio_stream::wrappers::BroadcastStream;
use utoipa::IntoParams;

use super::AppState;
use super::error::ApiError;
use super::extract::Query;
use super::live::Hint;
use crate::store::Secret;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Only what belongs to this experiment.
    experiment: Option<i64>,
}

/// Server-sent events `job`, `metrics`, `experiment` and `reset` (fetch everything anew).
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(Params),
    responses((status = 200, description = "text/event-stream", content_type = "text/event-stream", body = String)))]
pub(super) async fn stream(
    State(state): State<AppState>,
    Query(params): Query<Params>,
    token: Option<Extension<Secret>>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let boot = state.live.boot;
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    // An id of another boot cannot be continued: it reads as a number that the ring does not have.
    let after = last_id.map(|id| parse_id(id, boot).unwrap_or(u64::MAX - 1));
    let (missed, future) = state.live.subscribe(after);
    let reset = missed.is_none().then(reset);
    let missed = missed.unwrap_or_default().into_iter();
    let wanted = move |hint: &Hint| params.experiment.is_none_or(|id| id == hint.experiment_id);
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
    let events = stream::iter(reset)
        .chain(stream::iter(missed.filter(move |hint| wanted(hint)).map(event)))
        .chain(future)
        .map(Ok)
        .take_until(over);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

fn parse_id(id: &str, boot: i64) -> Option<u64> {
    let (their_boot, number) = id.rsplit_once('-')?;
    (their_boot.parse() == Ok(boot)).then(|| number.parse().ok())?
}

fn reset() -> Event {
    Event::default().event("reset").data("{}")
}
