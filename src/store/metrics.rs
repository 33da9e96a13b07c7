//! Curves, as they are read.

use async_trait::async_trait;

use super::StoreError;

/// A named curve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// For example `test/accuracy`.
    pub name: String,
    /// Unit of its values.
    pub unit: String,
    /// Which way is better, where one is.
    pub higher_is_better: Option<bool>,
}

/// What can be asked about curves.
#[async_trait]
pub trait Metrics: Send + Sync {
    /// The series of this name, whether or not it has points.
    async fn series(&self, name: &str) -> Result<Option<Series>, StoreError>;

    /// The series of which some job of the experiment has points.
    async fn series_of_experiment(&self, experiment: i64) -> Result<Vec<Series>, StoreError>;

    /// The series of which the job has points.
    async fn series_of_job(&self, job: i64) -> Result<Vec<Series>, StoreError>;
}
