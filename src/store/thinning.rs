//! Old curves with fewer points.

use async_trait::async_trait;

use super::StoreError;

/// What thinning does to an experiment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thinned {
    /// Its jobs that have ended; others are left alone.
    pub jobs: i64,
    /// Points of these jobs before.
    pub points: i64,
    /// Points that go.
    pub deleted: i64,
}

/// What can be asked about thinning. A step is kept or deleted in all ended jobs of the experiment alike, so that means
/// over seeds stay means over the same seeds: kept are every `every`th step of a series and, of each job, its first and
/// last step, its lowest and its highest.
#[async_trait]
pub trait Thinning: Send + Sync {
    /// What [`Thinning::thin`] would do now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn would_thin(&self, experiment: i64, every: i64) -> Result<Thinned, StoreError>;

    /// Deletes, in one transaction, for good.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn thin(&self, experiment: i64, every: i64) -> Result<Thinned, StoreError>;
}
