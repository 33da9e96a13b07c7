//! The HTTP interface: routes, and what they share.

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
mod query;
mod recipes;
mod session;
mod submission;
mod warnings;
mod workers;

mod estimate;
mod live;
mod queue;
mod views;

mod access;
mod base_path;
mod connections;
mod error;
mod extract;
mod guard;
mod openapi;
mod parameter;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::trace::TraceLayer;
use utoipa::openapi::Server;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::artifacts::ArtifactRoot;
use crate::clock::Clock;
use crate::store::{QueryRunner, Store};
use access::Access;
pub use access::is_local;
pub use base_path::BasePath;
use connections::Limits;
pub use dashboard::has_dashboard;
use error::ApiError;
pub use extract::BODY_LIMIT;
use live::Live;
use monitoring::Requests;

/// How long requests under way have when the server is told to stop.
const LAST_ANSWERS: Duration = Duration::from_secs(10);
/// Maximum number of spare connections for health checks and refusals.
const MOST_SPARE: usize = 16;
/// Time limit for the head of the next request. Longer than the 60 seconds after which proxies commonly close idle
/// connections, so that the proxy closes first.
const NEXT_REQUEST: Duration = Duration::from_secs(75);
/// Time limit for a client that reads nothing of a response.
const STALLED_CLIENT: Duration = Duration::from_secs(120);

/// Settings of the HTTP server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The longest file that may be imported, in bytes.
    pub import_limit: u64,
    /// Path prefix under which a proxy serves optlab.
    pub base_path: BasePath,
    /// Maximum number of concurrent connections.
    pub connections: usize,
}

/// What every handler may use.
#[derive(Clone)]
struct AppState {
    store: Arc<Store>,
    artifacts: ArtifactRoot,
    queries: QueryRunner,
    clock: Arc<dyn Clock>,
    access: Arc<Access>,
    live: Arc<Live>,
    requests: Requests,
    write_checks: Arc<health::WriteChecks>,
    /// The longest import, in bytes.
    import_limit: u64,
    /// Path prefix under which a proxy serves optlab.
    base_path: BasePath,
    /// Ends the event streams, which would keep the server from stopping.
    shutdown: CancellationToken,
}

/// Answers on `listener` until `shutdown`.
///
/// # Errors
/// What the listener says.
pub async fn serve(
    listener: TcpListener,
    store: Arc<Store>,
    artifacts: ArtifactRoot,
    queries: QueryRunner,
    clock: Arc<dyn Clock>,
    settings: Settings,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let live = Arc::new(Live::new(clock.now_ms()));
    let is_local = is_local(listener.local_addr()?);
    let state = AppState {
        store: store.clone(),
        artifacts,
        queries,
        clock: clock.clone(),
        access: Arc::new(Access::new(store.clone(), clock.clone(), is_local)),
        live: live.clone(),
        requests: Requests::default(),
        write_checks: Arc::default(),
        import_limit: settings.import_limit,
        base_path: settings.base_path.clone(),
        shutdown: shutdown.clone(),
    };
    let limits = Limits {
        connections: settings.connections,
        spare: (settings.connections / 4).clamp(1, MOST_SPARE),
        next_request: NEXT_REQUEST,
        stalled_client: STALLED_CLIENT,
    };
    let router = router(state, &settings.base_path);
    let server = connections::serve(listener, router, settings.base_path, limits, shutdown.clone());
    let patience = async {
        shutdown.cancelled().await;
        tokio::time::sleep(LAST_ANSWERS).await;
    };
    let served = async {
        tokio::select! {
            () = server => {}
            // Somebody who never finishes a request does not keep the server from stopping.
            () = patience => {}
        }
    };
    tokio::join!(served, live.follow(store, clock, shutdown.clone()));
    Ok(())
}

fn router(state: AppState, base_path: &BasePath) -> Router {
    let mut guarded = OpenApiRouter::with_openapi(openapi::description())
        // Researchers.
        .routes(routes!(experiments::list, experiments::submit))
        .routes(routes!(experiments::get, experiments::edit))
        .routes(routes!(submission::get))
        .routes(routes!(experiments::cancel))
        .routes(routes!(experiments::pause))
        .routes(routes!(experiments::resume))
        .routes(routes!(experiments::retry))
        .routes(routes!(experiments::add_seeds))
        .routes(routes!(metrics::of_arms))
        .routes(routes!(metrics::of_runs))
        .routes(routes!(warnings::of_experiment))
        .routes(routes!(comparison::get))
        .routes(routes!(export::get))
        .routes(routes!(imports::import))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::get))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::pause))
        .routes(routes!(jobs::resume))
        .routes(routes!(jobs::retry))
        .routes(routes!(jobs::attempts))
        .routes(routes!(artifacts::list))
        .routes(routes!(artifacts::get))
        .routes(routes!(artifacts::logs))
        .routes(routes!(metrics::of_job))
        .routes(routes!(query::run))
        .routes(routes!(recipes::list))
        .routes(routes!(recipes::get))
        .routes(routes!(workers::list))
        .routes(routes!(workers::drain))
        .routes(routes!(events::stream))
        .routes(routes!(session::get))
        .routes(routes!(monitoring::metrics))
        // From other machines, all of these need a token; what follows does not.
        .route_layer(from_fn_with_state(state.clone(), access::admit));
    openapi::asks_for_token(guarded.get_openapi_mut());
    let (router, mut description) = guarded
        .routes(routes!(session::sign_in, session::sign_out))
        // Operators.
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .split_for_parts();
    openapi::complete(&mut description);
    if !base_path.is_root() {
        description.servers = Some(vec![Server::new(base_path.to_string())]);
    }
    let docs = SwaggerUi::new("/api/docs").url("/api/openapi.json", description);
    // Relative, because only the browser knows the prefix under which a proxy serves this server.
    let docs = Router::from(docs.config(utoipa_swagger_ui::Config::new(["../openapi.json"])))
        .route_layer(from_fn_with_state(state.clone(), access::admit))
        .route_layer(from_fn(base_path::stay_in_folder));
    router
        .merge(docs)
        // Browsers.
        .route("/", get(dashboard::page))
        .route("/experiments/{id}", get(dashboard::page))
        .route("/jobs/{id}", get(dashboard::page))
        .route("/new", get(dashboard::page))
        .route("/workers", get(dashboard::page))
        .route("/sql", get(dashboard::page))
        .route("/assets/{*path}", get(dashboard::asset))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(guard::spare))
        .layer(from_fn(guard::same_origin))
        .layer(from_fn_with_state(state.clone(), access::known_host))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(map_response(guard::problems_only))
        .layer(from_fn(guard::close_over_unread_body))
        .layer(map_response(guard::browser_rules))
        .layer(compression())
        .layer(from_fn_with_state(state.clone(), monitoring::count))
        // What fails is logged where it is mapped, once.
        .layer(TraceLayer::new_for_http().on_failure(()))
        .with_state(state)
}

/// Answers are read by programs that can unpack, and a curve is digits. Files of jobs go as they lie, because parts of them
/// can be asked for, and so does what is compressed already.
fn compression() -> CompressionLayer<impl Predicate> {
    let whole = DefaultPredicate::new()
        .and(NotForContentType::const_new("application/octet-stream"))
        .and(NotForContentType::const_new("application/vnd.apache.parquet"));
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(whole)
}

async fn unknown_route(uri: Uri) -> ApiError {
    ApiError::not_found(format!("there is no {}; /api/docs lists what there is", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::method_not_allowed(format!(
        "{} does not answer {method}; /api/docs says what it does",
        uri.path()
    ))
}
