//! `optlab backup`: a copy of the database, also while servers and workers write to it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::serve::block_on;
use super::{Failure, output};
use crate::config::DatabaseArgs;
use crate::store;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The copy; a file that exists is not overwritten
    file: PathBuf,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let url = args.database.resolve()?;
    Ok(block_on(backup(&url, &args.file))??)
}

async fn backup(url: &str, file: &Path) -> anyhow::Result<()> {
    let shown = store::redacted(url);
    if !url.starts_with("sqlite:") {
        bail!(
            "PostgreSQL has its own program for that:\n  pg_dump --format=custom --file={} {shown}\n\
             (pg_restore reads the copy)",
            file.display()
        );
    }
    ensure!(!file.exists(), "{} exists already", file.display());
    let folder = std::path::absolute(file)?.parent().map(Path::to_owned).unwrap_or_default();
    ensure!(folder.is_dir(), "there is no folder {}", folder.display());
    // A copy that broke off must not look like a whole one.
    let mut unfinished = file.to_owned().into_os_string();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    if unfinished.exists() {
        std::fs::remove_file(&unfinished).with_context(|| unfinished.display().to_string())?;
    }
    store::copy_sqlite(url, &unfinished).await.with_context(|| format!("cannot copy {shown}"))?;
    std::fs::File::open(&unfinished)?.sync_all()?;
    std::fs::rename(&unfinished, file).with_context(|| file.display().to_string())?;
    output::line(format!(
        "{} is a copy of {shown}. The files of jobs (weights, checkpoints, logs) are not in it.",
        file.display()
    ))
}
