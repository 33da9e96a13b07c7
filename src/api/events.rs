//! `/events`: the ring of hints as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, stream};
use optlab_domain::ExperimentId;
use serde::Deserialize;
use tokio_stream::wrappers::BroadcastStream;
use utoipa::IntoParams;

use super::error::ApiError;
use super::extract::Query;
use super::live::{Hint, Live, Since};
use super::parameter::Id;
use super::state::AppState;
use crate::store::Secret;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Only events of this experiment.
    #[param(inline)]
    experiment: Option<Id>,
}

/// Interval of `alive` events. A longer silence means that the stream is broken or buffered by a proxy.
const ALIVE: Duration = Duration::from_secs(10);

/// Server-sent events `job`, `metrics`, `experiment`, `reset` (fetch everything again) and `alive`, which comes first,
/// and then after every 10 seconds without another event.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    params(Params, ("Last-Event-ID" = Option<String>, Header, description = "Id of the last event that arrived; the events after it are sent first")),
    responses((status = 200, description = "The events, until the client disconnects or the server stops", content_type = "text/event-stream", body = optlab_api_types::Event)))]
pub(super) async fn stream(
    State(state): State<AppState>,
    Query(params): Query<Params>,
    token: Option<Extension<Secret>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    let experiment = Id::read(params.experiment, "experiment")?;
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let changes = changes_after(last_id, experiment, &state.live);
    let end = must_end(state, token.map(|Extension(secret)| secret));
    let events = stream::iter([alive()]).chain(changes).map(Ok::<_, Infallible>).take_until(end);
    // Keeps nginx from buffering events.
    let headers = [("x-accel-buffering", "no"), ("cache-control", "no-store")];
    Ok((headers, Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE).event(alive()))))
}

/// The events after the one with the id `last_id`, past and future: those of one experiment, or all.
fn changes_after(
    last_id: Option<&str>,
    experiment: Option<ExperimentId>,
    live: &Live,
) -> impl Stream<Item = Event> + use<> {
    let boot = live.boot;
    let since = match last_id {
        None => Since::Now,
        Some(id) => parse_id(id, boot).map_or(Since::OtherProcess, Since::Hint),
    };
    let (missed, future) = live.subscribe(since);
    let event = move |hint: Hint| {
        let wanted = experiment.is_none_or(|id| id == hint.experiment_id);
        let id = format!("{boot}-{}", hint.number);
        wanted.then(|| Event::default().event(hint.event).id(id).data(hint.data))
    };
    let missed = match missed {
        Some(hints) => hints.into_iter().filter_map(event).collect(),
        None => vec![reset()],
    };
    let future = BroadcastStream::new(future).filter_map(move |received| async move {
        match received {
            Ok(hint) => event(hint),
            Err(_lagged) => Some(reset()),
        }
    });
    stream::iter(missed).chain(future)
}

/// Returns when the stream must end: the server stops, or the token is revoked.
async fn must_end(state: AppState, token: Option<Secret>) {
    tokio::select! {
        () = state.shutdown.cancelled() => {}
        () = state.access.revoked(token) => {}
    }
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
