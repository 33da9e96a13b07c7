//! The table over all jobs.

use optlab_domain::JobId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::Job;

/// A job in a list, with the requested fields.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ListedJob {
    /// The job.
    #[serde(flatten)]
    pub job: Job,
    /// The values of the fields that were requested with `fields`, by their names; null if the job lacks one.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    pub fields: Map<String, Value>,
}

/// A field by which jobs can be selected, ordered and grouped.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobField {
    /// The word of a column, or the path of a setting, such as `train.batch_size`.
    pub name: String,
    /// What a condition compares it with.
    pub takes: Vec<FieldKind>,
    /// All of its texts, if they are a closed set; otherwise empty.
    pub words: Vec<String>,
    /// Whether it is a figure of a result, whose mean and best value groups can show.
    pub is_figure: bool,
}

/// A kind of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// A number.
    Number,
    /// A date, or a time in RFC 3339.
    Time,
    /// A text.
    Text,
}

/// Jobs by the values of one field or two.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobGroups {
    /// The groups. If there are two fields, they are ordered by the first one; then by the mean, the best first.
    pub groups: Vec<JobGroup>,
    /// Whether there are more groups, which are left out.
    pub truncated: bool,
}

/// The jobs that have the same values. A job is in the group of each of its tags.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobGroup {
    /// The values, in the order of the fields; null if the jobs lack one.
    pub values: Vec<Value>,
    /// Number of its jobs.
    pub jobs: i64,
    /// Number of those that have succeeded.
    pub succeeded: i64,
    /// Number of those that have the figure.
    pub measured: i64,
    /// Mean of the figure.
    pub mean: Option<f64>,
    /// Its best value: the lowest one, or the highest accuracy.
    pub best: Option<f64>,
    /// Id of the job with the best value.
    #[schema(value_type = Option<i64>)]
    pub best_job: Option<JobId>,
}
