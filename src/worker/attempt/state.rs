//! The state of a running attempt.

use std::sync::Arc;
use std::time::Duration;

use optlab_domain::{Device, EndReason, Request};
use optlab_spec::protocol::Failure;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::files::Files;
use super::promised::Promised;
use crate::artifacts::ArtifactError;
use crate::config::TrainingSettings;
use crate::store::{Artifact, AttemptEnd, Claim, Store};

/// A running attempt.
pub(in crate::worker) struct Attempt {
    pub(super) store: Arc<Store>,
    pub(super) claim: Claim,
    pub(super) device: Device,
    pub(super) files: Arc<Files>,
    pub(super) lease: Duration,
    pub(super) lease_until: Instant,
    pub(super) hung_after: Duration,
    pub(super) shutdown: CancellationToken,
    /// The checkpoint from which the runner resumed.
    pub(super) resumed: Option<Artifact>,
    /// Whether the runner has started the job.
    pub(super) started: bool,
    /// Completed updates.
    pub(super) step: u64,
    /// Required files that could not be stored yet, each with the reason.
    pub(super) unkept: Vec<(Promised, ArtifactError)>,
    /// The request with which the runner is being stopped, and when it is killed.
    pub(super) stopping: Option<(Request, Instant)>,
}

impl Attempt {
    pub(in crate::worker) fn new(
        store: Arc<Store>,
        claim: Claim,
        device: Device,
        files: Files,
        settings: &TrainingSettings,
        shutdown: CancellationToken,
    ) -> Self {
        let TrainingSettings { lease, hung_after, .. } = *settings;
        let lease_until = Instant::now() + lease;
        Self {
            store,
            claim,
            device,
            files: Arc::new(files),
            lease,
            lease_until,
            hung_after,
            shutdown,
            resumed: None,
            started: false,
            step: 0,
            unkept: Vec::new(),
            stopping: None,
        }
    }
}

pub(super) fn crashed(error: String) -> AttemptEnd {
    failed(EndReason::RunnerCrashed, error)
}

pub(super) fn failed(reason: EndReason, error: String) -> AttemptEnd {
    AttemptEnd::Failed(Failure::of(reason, error))
}
