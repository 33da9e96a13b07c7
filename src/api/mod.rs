//! The HTTP interface. `router` names every route.

mod artifacts;
mod comparison;
mod dashboard;
mod events;
mod experiments;
mod export;
mod health;
mod imports;
mod jobs;
mod metrics;
mod monitoring;
mod pools;
mod query;
mod recipes;
mod report;
mod runs;
mod session;
mod submission;
mod tuning;
mod warnings;
mod workers;

mod estimate;
mod live;
mod queue;
mod views;

mod router;
mod state;

mod access;
mod base_path;
mod connections;
mod credentials;
mod error;
mod extract;
mod guard;
mod openapi;
mod parameter;
mod request_count;
mod selection;
mod write_checks;

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::ApiSettings;
pub use access::is_local;
use connections::Limits;
pub use dashboard::has_dashboard;
pub use extract::BODY_LIMIT;
use state::AppState;
pub use state::Resources;

/// Time limit for pending requests when the server stops.
const LAST_ANSWERS: Duration = Duration::from_secs(10);
/// Maximum number of spare connections for health checks and refusals.
const MOST_SPARE: usize = 16;
/// Time limit for the head of the next request. Longer than the 60 seconds after which proxies commonly close idle
/// connections, so that the proxy closes first.
const NEXT_REQUEST: Duration = Duration::from_secs(75);
/// Time limit for a client that reads nothing of a response.
const STALLED_CLIENT: Duration = Duration::from_secs(120);

/// Serves on `listener` until `shutdown`, with at most this number of `connections`.
///
/// # Errors
/// The error of the listener.
pub async fn serve(
    listener: TcpListener,
    resources: Resources,
    settings: ApiSettings,
    connections: usize,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let is_local = is_local(listener.local_addr()?);
    let (store, base_path) = (resources.store.clone(), settings.base_path.clone());
    let state = AppState::new(resources, settings, is_local, shutdown.clone());
    let live = state.live.clone();
    let limits = Limits {
        connections,
        spare: (connections / 4).clamp(1, MOST_SPARE),
        next_request: NEXT_REQUEST,
        stalled_client: STALLED_CLIENT,
    };
    let server = connections::serve(listener, router::router(state), base_path, limits, shutdown.clone());
    let patience = async {
        shutdown.cancelled().await;
        tokio::time::sleep(LAST_ANSWERS).await;
    };
    let served = async {
        tokio::select! {
            () = server => {}
            // A client that never finishes its request does not keep the server from stopping.
            () = patience => {}
        }
    };
    tokio::join!(served, live.follow(store, shutdown.clone()));
    Ok(())
}
