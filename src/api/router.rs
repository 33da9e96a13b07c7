//! Every route, in groups by the token that it needs, and the layers around all of them.

use axum::Router;
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use optlab_domain::Scope;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::trace::TraceLayer;
use utoipa::openapi::{OpenApi, Server};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use super::error::ApiError;
use super::state::AppState;
use super::{access, base_path, guard, openapi, request_count};
use super::{
    artifacts, comparison, dashboard, events, experiments, export, health, imports, jobs, metrics,
    monitoring, pools, query, recipes, report, runs, session, submission, tuning, warnings, workers,
};

/// Routes that change nothing. A query is sent by POST because of its length; the store makes sure that it only reads.
fn reads() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(experiments::list))
        .routes(routes!(experiments::get))
        .routes(routes!(submission::get))
        .routes(routes!(metrics::of_arms))
        .routes(routes!(metrics::of_runs))
        .routes(routes!(warnings::of_experiment))
        .routes(routes!(comparison::get))
        .routes(routes!(comparison::of_many))
        .routes(routes!(tuning::get))
        .routes(routes!(export::get))
        .routes(routes!(report::get))
        .routes(routes!(jobs::list))
        .routes(routes!(runs::fields))
        .routes(routes!(runs::groups))
        .routes(routes!(runs::export))
        .routes(routes!(jobs::get))
        .routes(routes!(jobs::attempts))
        .routes(routes!(artifacts::list))
        .routes(routes!(artifacts::get))
        .routes(routes!(artifacts::logs))
        .routes(routes!(metrics::of_job))
        .routes(routes!(query::run))
        .routes(routes!(recipes::list))
        .routes(routes!(recipes::get))
        .routes(routes!(workers::list))
        .routes(routes!(pools::list))
        .routes(routes!(events::stream))
        .routes(routes!(session::get))
        .routes(routes!(monitoring::metrics))
}

/// Routes that change something.
fn writes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(experiments::submit))
        .routes(routes!(experiments::edit))
        .routes(routes!(experiments::delete))
        .routes(routes!(experiments::cancel))
        .routes(routes!(experiments::pause))
        .routes(routes!(experiments::resume))
        .routes(routes!(experiments::retry))
        .routes(routes!(experiments::add_seeds))
        .routes(routes!(experiments::add_arms))
        .routes(routes!(imports::import))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::pause))
        .routes(routes!(jobs::resume))
        .routes(routes!(jobs::retry))
        .routes(routes!(workers::drain))
        .routes(routes!(pools::resume))
}

/// Routes that need no token: health checks, and the sign-in of a browser.
fn open() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(session::sign_in, session::sign_out))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
}

/// The pages of the dashboard. They need no token, but the data that they fetch does.
fn pages() -> Router<AppState> {
    Router::new()
        .route("/", get(dashboard::page))
        .route("/experiments/{id}", get(dashboard::page))
        .route("/jobs/{id}", get(dashboard::page))
        .route("/compare", get(dashboard::page))
        .route("/runs", get(dashboard::page))
        .route("/new", get(dashboard::page))
        .route("/workers", get(dashboard::page))
        .route("/sql", get(dashboard::page))
        .route("/assets/{*path}", get(dashboard::asset))
}

/// The description of the API as a page and as a document. The page's link to the document is relative, because only
/// the browser knows the prefix under which a proxy serves this server.
fn docs(description: OpenApi) -> Router<AppState> {
    let page = SwaggerUi::new("/api/docs").url("/api/openapi.json", description);
    Router::from(page.config(utoipa_swagger_ui::Config::new(["../openapi.json"])))
}

/// The whole service.
pub(super) fn router(state: AppState) -> Router {
    let admit = |scope| from_fn_with_state((state.access.clone(), scope), access::admit);
    let mut guarded = OpenApiRouter::with_openapi(openapi::description())
        .merge(reads().route_layer(admit(Scope::Read)))
        .merge(writes().route_layer(admit(Scope::Write)));
    openapi::requires_token(guarded.get_openapi_mut());
    let (router, mut description) = guarded.merge(open()).split_for_parts();
    openapi::complete(&mut description);
    let base_path = &state.settings.base_path;
    if !base_path.is_root() {
        description.servers = Some(vec![Server::new(base_path.to_string())]);
    }
    let docs =
        docs(description).route_layer(admit(Scope::Read)).route_layer(from_fn(base_path::stay_in_folder));
    router
        .merge(docs)
        .merge(pages())
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(guard::spare))
        .layer(from_fn(guard::same_origin))
        .layer(from_fn(guard::plain_body))
        .layer(from_fn_with_state(state.access.clone(), access::known_host))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(map_response(guard::problems_only))
        .layer(from_fn(guard::close_over_unread_body))
        .layer(map_response(guard::browser_rules))
        .layer(compression())
        .layer(from_fn_with_state(state.requests.clone(), request_count::count))
        // Failures are logged once, where they become responses.
        .layer(TraceLayer::new_for_http().on_failure(()))
        .with_state(state)
}

/// Compresses answers. Exceptions are files of jobs, because clients may request ranges of them, and content that is
/// already compressed.
fn compression() -> CompressionLayer<impl Predicate> {
    let whole = DefaultPredicate::new()
        .and(NotForContentType::const_new("application/octet-stream"))
        .and(NotForContentType::const_new("application/vnd.apache.parquet"));
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(whole)
}

/// A browser that opens an unknown address gets the page, which says so. Every other client gets a problem.
async fn unknown_route(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let wants_page = headers.get(ACCEPT).is_some_and(|kinds| kinds.as_bytes().starts_with(b"text/html"));
    if method == Method::GET && wants_page && !uri.path().starts_with("/api/") {
        return dashboard::unknown_page(uri).await;
    }
    ApiError::not_found(format!("there is no {}; /api/docs lists all routes", uri.path())).into_response()
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::method_not_allowed(format!(
        "{} does not support {method}; /api/docs lists the methods",
        uri.path()
    ))
}
