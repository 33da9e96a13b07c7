//! The state that every handler may use.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::access::Access;
use super::live::Live;
use super::request_count::Requests;
use super::write_checks::WriteChecks;
use crate::artifacts::ArtifactRoot;
use crate::clock::Clock;
use crate::config::ApiSettings;
use crate::store::{QueryRunner, Store};

/// Everything that the API works with.
pub struct Resources {
    /// The database.
    pub store: Arc<Store>,
    /// The files of jobs.
    pub artifacts: ArtifactRoot,
    /// Runs the queries of users.
    pub queries: QueryRunner,
    /// The clock by which known tokens are checked again.
    pub clock: Arc<dyn Clock>,
}

/// The state that every handler may use.
#[derive(Clone)]
pub(super) struct AppState {
    pub(super) store: Arc<Store>,
    pub(super) artifacts: ArtifactRoot,
    pub(super) queries: QueryRunner,
    pub(super) settings: Arc<ApiSettings>,
    pub(super) access: Arc<Access>,
    pub(super) live: Arc<Live>,
    pub(super) requests: Requests,
    pub(super) write_checks: Arc<WriteChecks>,
    /// Ends the event streams, which would otherwise keep the server from stopping.
    pub(super) shutdown: CancellationToken,
}

impl AppState {
    /// `is_local`: only this machine can connect.
    pub(super) fn new(
        resources: Resources,
        settings: ApiSettings,
        is_local: bool,
        shutdown: CancellationToken,
    ) -> Self {
        let Resources { store, artifacts, queries, clock } = resources;
        Self {
            access: Arc::new(Access::new(store.clone(), clock.clone(), is_local)),
            live: Arc::new(Live::new(clock.now_ms())),
            requests: Requests::default(),
            write_checks: Arc::default(),
            settings: Arc::new(settings),
            store,
            artifacts,
            queries,
            shutdown,
        }
    }
}
