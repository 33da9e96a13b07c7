//! `run.json`: where a run came from, and its attempts, for `optlab import`.

use optlab_domain::Provenance;
use optlab_domain::time::as_rfc3339;
use optlab_spec::protocol::Environment;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Content of `run.json`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Origin {
    /// The recipe or the file that was named.
    pub(super) source: String,
    /// Values of `--set`, as they were typed.
    pub(super) set: Vec<String>,
    /// The spec with these values, without the other arms; not resolved.
    pub(super) written: Value,
    /// The resolved spec of an experiment that has only this run.
    pub(super) experiment: Value,
    pub(super) provenance: Provenance,
    /// The attempts, the oldest first.
    pub(super) attempts: Vec<Began>,
}

/// The beginning of an attempt.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Began {
    pub(super) environment: Environment,
    /// Completed updates.
    pub(super) start_step: u64,
    #[serde(rename = "started_at", with = "as_rfc3339")]
    pub(super) started_ms: i64,
}
