//! Settings of a database: its artifact root.

use std::path::{Path, PathBuf, absolute};

use crate::store::database::{Database, sql};
use crate::store::{Store, StoreError};

/// The artifact root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// A folder with an absolute path, or a URL.
    pub place: String,
    /// Whether it was given for the first time and is not stored yet.
    pub is_new: bool,
}

const ARTIFACT_ROOT: &str = "artifact_root";

impl Store {
    /// The stored place, or else the `given` one, or else for SQLite the folder beside the database file.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another place is stored, or none is known.
    pub async fn artifact_root(&self, given: Option<&str>) -> Result<Root, StoreError> {
        let stored: Option<(String,)> = sql("SELECT value FROM settings WHERE name = $1")
            .bind(ARTIFACT_ROOT)
            .fetch_optional(&mut self.read().await?)
            .await?;
        let given = given.map(whole);
        match (stored.map(|(value,)| value), given) {
            (Some(stored), Some(given)) if real(&stored) != real(&given) => {
                Err(StoreError::Conflict(format!(
                    "the files of this database are at {stored}, not at {given}; to move them, copy them and change \
                     `artifact_root` in the table `settings`"
                )))
            }
            (Some(place), _) => Ok(Root { place, is_new: false }),
            (None, Some(place)) => Ok(Root { place, is_new: true }),
            (None, None) => match &self.database {
                // Not stored: the folder can be moved with the file.
                Database::Sqlite(sqlite) => {
                    Ok(Root { place: artifacts_beside(sqlite.file()), is_new: false })
                }
                Database::Postgres(_) => Err(StoreError::Conflict(
                    "this database has no artifact root yet; give it to the server with --artifacts, \
                     a folder that all workers share or s3://BUCKET/FOLDER"
                        .to_owned(),
                )),
            },
        }
    }

    /// Stores a place for all later starts, unless one is stored.
    pub async fn keep_artifact_root(&self, place: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sql("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(ARTIFACT_ROOT)
            .bind(place)
            .execute(&mut tx)
            .await?;
        self.commit(tx).await
    }
}

/// The artifact root of an SQLite database by default: a folder beside the file.
pub fn artifacts_beside(database: &Path) -> String {
    // Resolved, so that a link to the database finds the same files of jobs.
    let file = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    format!("{}.artifacts", file.display())
}

/// Makes the folder absolute, because a relative one would differ between processes.
fn whole(place: &str) -> String {
    if place.contains("://") {
        return place.to_owned();
    }
    absolute(place).map_or_else(|_| place.to_owned(), |path| path.display().to_string())
}

/// The folder with all links resolved, for comparing two names of it. The unresolved name is stored, because links may
/// differ between machines.
fn real(place: &str) -> PathBuf {
    let path = Path::new(place.strip_prefix("file://").unwrap_or(place));
    path.canonicalize().unwrap_or_else(|_| path.components().collect())
}
