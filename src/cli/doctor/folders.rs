//! Checks the folders that serving and training write to: permissions and free space.

use std::env;
use std::path::{Path, absolute};

use optlab_data::Library;

use super::finding::{Finding, Verdict};
use crate::config::ServiceSettings;
use crate::store::{artifacts_beside, database_file};

/// Less free space causes a warning: twice the checkpoint and the weights of a large model.
const LITTLE_ROOM: u64 = 1 << 30;

/// Checks all folders; returns whether jobs can be trained with them, and the findings.
pub(super) fn look_at_folders(settings: &ServiceSettings, library: &Library) -> (bool, Vec<Finding>) {
    let (database, refusal) = match database_file(settings.database.database_url.expose()) {
        Ok(file) => (file, None),
        Err(error) => (None, Some(Verdict::Broken.finding(format!("database: {error}")))),
    };
    let beside = database.as_deref().map(artifacts_beside);
    let artifacts = settings.artifacts.clone().or(beside).filter(|place| !place.contains("://"));
    let scratch = look_at("scratch folder (TMPDIR)", &env::temp_dir(), false);
    let can_train = !matches!(scratch.verdict, Verdict::Missing);
    let others = [
        refusal,
        database
            .and_then(|file| Some(look_at("folder of the database", absolute(file).ok()?.parent()?, false))),
        artifacts.map(|place| look_at("artifact root", Path::new(&place), true)),
        Some(look_at("folder for downloaded data", &library.cache, true)),
    ];
    (can_train, [scratch].into_iter().chain(others.into_iter().flatten()).collect())
}

/// Checks a folder. For one that `is_made` on demand, its closest existing ancestor is checked.
fn look_at(name: &str, folder: &Path, is_made: bool) -> Finding {
    let folder = &absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let there = folder.ancestors().find(|place| !is_made || place.exists()).unwrap_or(folder);
    let what = format!("{name}: {}", folder.display());
    if let Err(error) = tempfile::tempfile_in(there) {
        let cure = "choose a folder that can be written, or free some space";
        return Verdict::Missing.finding(format!("{what} cannot be written: {error}")).cured_by(cure);
    }
    match rustix::fs::statvfs(there) {
        Ok(room) => {
            let free = room.f_bavail * room.f_frsize;
            let what = format!("{what}, {:.1} GB free", free as f64 / 1e9);
            match free {
                LITTLE_ROOM.. => Verdict::Ok.finding(what),
                _ => Verdict::Broken
                    .finding(what)
                    .cured_by("free some space: jobs fail if their files do not fit"),
            }
        }
        Err(error) => Verdict::Broken.finding(format!("{what}: {error}")),
    }
}
