//! Experiments.

use optlab_domain::{Counts, ExperimentId, Provenance};
use optlab_spec::ExperimentSpec;
use optlab_spec::schema::{Name, Seed};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{SeriesInfo, TuningProgress};

/// An experiment and its progress.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExperimentSummary {
    /// Its id.
    #[schema(value_type = i64)]
    pub id: ExperimentId,
    /// Its name, which other experiments may share.
    pub name: String,
    /// Free text.
    pub notes: String,
    /// Words for searches.
    pub tags: Vec<String>,
    /// Whether lists leave it out by default.
    pub archived: bool,
    /// When it was submitted.
    pub created_at: String,
    /// Its arms, in the order of the spec.
    pub arms: Vec<ArmSummary>,
    /// The arm that the others are compared with; null if there is none.
    pub baseline: Option<String>,
    /// Its seeds; each arm has one job per seed. Trials of tuned arms have seeds of their own.
    pub seeds: Vec<u64>,
    /// Its jobs by state.
    pub counts: Counts,
    /// Completed updates of all jobs.
    pub step: i64,
    /// Updates of all jobs, also of those that are queued only after a choice.
    pub steps: i64,
    /// Time left at the present pace.
    pub eta_seconds: Option<f64>,
    /// How far its arms are tuned; null if they have fixed settings.
    pub tuning: Option<TuningProgress>,
}

/// An arm by name and method.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ArmSummary {
    /// Its name.
    pub name: String,
    /// `baseline`, `opt:cayley`, ...
    pub method: String,
}

/// An experiment with its spec and its series.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Experiment {
    /// The fields that lists also have.
    #[serde(flatten)]
    pub summary: ExperimentSummary,
    /// The spec with every default filled in.
    pub spec: ExperimentSpec,
    /// Where it was submitted.
    pub provenance: Provenance,
    /// The series that its jobs have recorded so far.
    pub series: Vec<SeriesInfo>,
}

/// An experiment after an action on its jobs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ActionResult {
    /// Number of jobs that the action changed.
    pub changed_jobs: u64,
    /// The experiment.
    #[serde(flatten)]
    pub experiment: Experiment,
}

/// Changes of an experiment. A field that is left out stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub name: Option<String>,
    /// The new notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100_000)]
    pub notes: Option<String>,
    /// The new tags, in place of the old ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 50)]
    pub tags: Option<Vec<String>>,
    /// Whether lists leave it out by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    /// Priority of the jobs that have not succeeded and of seeds that are added later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -1_000_000, maximum = 1_000_000)]
    pub priority: Option<i64>,
}

/// Seeds to add to every arm.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Seeds {
    /// The seeds. Those that the experiment already has are ignored.
    #[schema(min_items = 1, max_items = 10_000, value_type = Vec<Seed>)]
    pub seeds: Vec<u64>,
}

/// Arms to add to an experiment.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Arms {
    /// The arms, as in a spec; their names must be new.
    #[schema(min_items = 1, max_items = 1000, value_type = Vec<Object>)]
    pub arms: Vec<Map<String, Value>>,
}
