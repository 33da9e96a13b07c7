//! Files of jobs: what the database knows of them. Their bytes are elsewhere.

use async_trait::async_trait;

use super::StoreError;

/// A file of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Unique among those of the job.
    pub name: String,
    /// What it holds.
    pub kind: ArtifactKind,
    /// The attempt that made it.
    pub attempt: i64,
    /// Completed updates.
    pub step: i64,
    /// Where its bytes are, below the artifact root.
    pub path: String,
    /// How many.
    pub bytes: i64,
    /// Their SHA-256, in lower-case hexadecimal.
    pub sha256: String,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArtifactKind {
    /// What the next attempt needs to go on.
    Checkpoint,
    /// The trained weights.
    Weights,
    /// What the runner said.
    Log,
    /// What was trained.
    Spec,
    /// Where it was trained.
    Environment,
}

impl ArtifactKind {
    const ALL: [Self; 5] = [Self::Checkpoint, Self::Weights, Self::Log, Self::Spec, Self::Environment];

    /// The word in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Weights => "weights",
            Self::Log => "log",
            Self::Spec => "spec",
            Self::Environment => "environment",
        }
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What can be asked about files.
#[async_trait]
pub trait Artifacts: Send + Sync {
    /// Those of a job, by name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is no such job.
    async fn artifacts(&self, job: i64) -> Result<Vec<Artifact>, StoreError>;

    /// Checkpoints that nobody will go on from, with their jobs: of jobs that succeeded, and all but the last two of
    /// others. At most `limit`.
    async fn obsolete_checkpoints(&self, limit: i64) -> Result<Vec<(i64, Artifact)>, StoreError>;

    /// Forgets a file whose bytes are gone.
    async fn forget_artifact(&self, job: i64, artifact: &Artifact) -> Result<(), StoreError>;
}
