//! What belongs to a database and not to a process that opens it.

use async_trait::async_trait;

use super::StoreError;

/// What can be asked about settings.
#[async_trait]
pub trait Settings: Send + Sync {
    /// Where the files of this database's jobs are: a folder or a URL. The first place that is `given` stays; a SQLite
    /// database without one has them beside its file.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another place is given, or none was ever given.
    async fn artifact_root(&self, given: Option<&str>) -> Result<String, StoreError>;
}
