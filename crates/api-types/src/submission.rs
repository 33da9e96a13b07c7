//! Submissions and their results.

use optlab_domain::{ExperimentId, Phase};
use optlab_spec::ExperimentSpec;
use optlab_spec::schema::Name;
use optlab_spec::written::WrittenSpec;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::Job;

/// A new experiment: a recipe with changes, or a whole spec.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(example = json!({ "recipe": "digits-mlp", "overrides": { "name": "mine", "seeds": [0, 1] } }))]
pub enum Submission {
    /// A recipe with changes.
    Recipe(RecipeSubmission),
    /// A spec as a person writes it.
    Spec(WrittenSpec),
}

/// A built-in experiment with changes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecipeSubmission {
    /// Name of the recipe.
    #[schema(value_type = Name)]
    pub recipe: String,
    /// Fields of the spec that replace those of the recipe.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub overrides: Option<Map<String, Value>>,
}

/// The experiment that a submission or an import has created.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Submitted {
    /// Its id.
    #[schema(value_type = i64)]
    pub id: ExperimentId,
    /// Its name.
    pub name: String,
    /// Its jobs.
    pub jobs: Vec<Job>,
}

/// The text that was submitted for an experiment, and a draft for a copy of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StoredSubmission {
    /// The body of the request as it was sent, JSON or TOML; null if it was not stored.
    pub text: Option<String>,
    /// A spec that resolves to that of the experiment and contains no inherited field: the text with its recipe filled
    /// in, and with the present seeds and priority. Without a text, the resolved spec without what its arms would
    /// inherit.
    pub draft: WrittenSpec,
}

/// The experiment that a submission would create.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DryRun {
    /// The spec with every default filled in.
    pub spec: ExperimentSpec,
    /// Its jobs.
    pub jobs: Vec<PlannedJob>,
    /// Estimate of their time.
    pub estimate: Estimate,
    /// Number of slots of active workers that could run them.
    pub slots: usize,
    /// Why its jobs would wait, if they were submitted now.
    pub why_queued: Option<String>,
}

/// A job that a submission would create.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PlannedJob {
    /// Name of its arm.
    pub arm: String,
    /// Whether it is a trial or counts in the comparison. In a tuned experiment, a job that counts is queued once the
    /// choice of its arm is made.
    pub phase: Phase,
    /// Number of the trial.
    pub trial: Option<u64>,
    /// Its seed.
    pub seed: u64,
    /// Its updates.
    pub steps: u64,
}

/// Estimated time of the jobs of a submission, from similar jobs that have succeeded.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Estimate {
    /// Time of all jobs, one after another; null if an arm has no similar job that has succeeded.
    pub seconds: Option<f64>,
    /// Number of jobs on which the estimate is based.
    pub jobs_measured: usize,
}
