//! `optlab backup`: copies the database, even while servers and workers write to it.

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};

use super::serve::block_on;
use super::unfinished::Unfinished;
use super::{Failure, output};
use crate::config::{DatabaseSettings, DatabaseUrl};
use crate::store::{self, CopyError};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The copy; an existing file is not overwritten
    file: PathBuf,
    #[command(flatten)]
    database: DatabaseSettings,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    Ok(block_on(backup(&args.database.database_url, &args.file))??)
}

async fn backup(url: &DatabaseUrl, file: &Path) -> anyhow::Result<()> {
    if !url.expose().starts_with("sqlite:") {
        bail!(
            "PostgreSQL has its own program for that:\n  pg_dump --format=custom --file={} {url}\n\
             (pg_restore reads the copy)",
            file.display()
        );
    }
    let folder = std::path::absolute(file)?.parent().map(Path::to_owned).unwrap_or_default();
    ensure!(folder.is_dir(), "there is no folder {}", folder.display());
    let unfinished = Unfinished::beside(file)?;
    store::copy_sqlite(url.expose(), unfinished.path()).await.map_err(|error| explained(error, url, file))?;
    std::fs::File::open(unfinished.path())?.sync_all()?;
    unfinished.finish()?;
    output::line(format!(
        "{} is a copy of {url}. It does not contain the files of jobs (weights, checkpoints, logs).",
        file.display()
    ))
}

/// Distinguishes errors of the copy's disk from those of the database's.
fn explained(error: CopyError, database: &DatabaseUrl, file: &Path) -> anyhow::Error {
    match error {
        CopyError::Source(error) => anyhow::Error::from(error).context(format!("cannot copy {database}")),
        CopyError::Target(reason) => anyhow::anyhow!(
            "cannot write {}: {reason}. Free some space there, or choose another path; the incomplete copy was removed",
            file.display()
        ),
    }
}
