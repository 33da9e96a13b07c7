//! What belongs to a database and not to a process that opens it.

use async_trait::async_trait;

use super::StoreError;

/// Where the files of jobs are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// A folder with an absolute path, or a URL.
    pub place: String,
    /// Whether it was given for the first time and is not kept yet.
    pub is_new: bool,
}

/// What can be asked about settings.
#[async_trait]
pub trait Settings: Send + Sync {
    /// The place that was kept, else the one that is `given`, else for SQLite the folder beside the database file.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another place was kept, or none is known.
    async fn artifact_root(&self, given: Option<&str>) -> Result<Root, StoreError>;

    /// Keeps a place for all later starts, unless one was kept before.
    async fn keep_artifact_root(&self, place: &str) -> Result<(), StoreError>;
}
