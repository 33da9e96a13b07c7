//! Where the files of data sets lie, and getting a data set from there.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::archive::Archive;
use crate::dataset::{Dataset, RemoteFile, Split};
use crate::error::DataError;
use crate::fetch::{self, Progress};

/// The folders that are searched for data files.
#[derive(Clone, Debug)]
pub struct Library {
    /// Searched first and never written: `OPTLAB_DATA_DIR`.
    pub given: Option<PathBuf>,
    /// Searched next; fetched files go here.
    pub cache: PathBuf,
    /// Asked before the official addresses, as `MIRROR/DATASET/FILE`: `OPTLAB_DATA_MIRROR`.
    pub mirror: Option<String>,
}

/// Whether the files of a data set are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Part of the program.
    BuiltIn,
    /// All files are in this folder, in their official sizes; they are verified when they are used.
    Present(PathBuf),
    /// This file has another size than the official one, and goes before one that is right.
    Altered(PathBuf),
    /// They would have to be fetched: so many bytes.
    Absent(u64),
}

impl Library {
    /// `OPTLAB_DATA_DIR`, `OPTLAB_DATA_MIRROR`, and the user's cache folder (`XDG_CACHE_HOME`, else `~/.cache`).
    pub fn from_env() -> Self {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        let cache = set("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or_else(|| {
            let home = set("HOME").map_or_else(env::temp_dir, PathBuf::from);
            home.join(".cache")
        });
        Self {
            given: set("OPTLAB_DATA_DIR").map(PathBuf::from),
            cache: cache.join("optlab").join("data"),
            mirror: set("OPTLAB_DATA_MIRROR").map(|value| value.to_string_lossy().into_owned()),
        }
    }

    /// Whether the files of `dataset` are here.
    pub fn state(&self, dataset: &dyn Dataset) -> State {
        if dataset.files().is_empty() {
            return State::BuiltIn;
        }
        let files: Option<Vec<(PathBuf, u64)>> = match self.unpacked(dataset) {
            Some((archive, folder)) => {
                Some(archive.members.iter().map(|member| (folder.join(member.name), member.bytes)).collect())
            }
            None => {
                dataset.files().iter().map(|file| Some((self.find(dataset, file)?, file.bytes))).collect()
            }
        };
        let Some(files) = files else {
            return State::Absent(dataset.files().iter().map(|file| file.bytes).sum());
        };
        let altered =
            |(path, bytes): &&(PathBuf, u64)| fs::metadata(path).is_ok_and(|file| file.len() != *bytes);
        match (files.iter().find(altered), &files[0]) {
            (Some((path, _)), _) => State::Altered(path.clone()),
            (None, (path, _)) => State::Present(path.parent().unwrap_or(path).to_owned()),
        }
    }

    /// Finds, fetches if need be, verifies and decodes a data set.
    ///
    /// # Errors
    /// Names the file that is missing, altered or malformed.
    pub fn load(&self, dataset: &dyn Dataset, progress: &mut dyn Progress) -> Result<Split, DataError> {
        dataset.decode(&self.contents(dataset, progress)?)
    }

    /// What [`load`](Self::load) decodes: afterwards every file is here and right. An archive that somebody has
    /// unpacked in the folder of its data set or beside it, as `OPTLAB_DATA_DIR/cifar-100-binary/train.bin` for example,
    /// takes the place of the packed one.
    ///
    /// # Errors
    /// Names the file that is missing or altered.
    pub fn contents(
        &self,
        dataset: &dyn Dataset,
        progress: &mut dyn Progress,
    ) -> Result<Vec<Vec<u8>>, DataError> {
        if let Some((archive, folder)) = self.unpacked(dataset) {
            return archive.read(&folder);
        }
        let contents: Vec<_> = dataset
            .files()
            .iter()
            .map(|file| self.content(dataset, file, progress))
            .collect::<Result<_, _>>()?;
        match (dataset.archive(), dataset.files(), &contents[..]) {
            (Some(archive), [file], [packed]) => archive.unpack(file.name, packed),
            _ => Ok(contents),
        }
    }

    /// A data set's archive, and where somebody has unpacked it.
    fn unpacked<'a>(&self, dataset: &'a dyn Dataset) -> Option<(&'a Archive, PathBuf)> {
        let archive = dataset.archive()?;
        let mut places = self.places().cloned().chain(self.folders(dataset));
        Some((archive, places.find_map(|place| archive.unpacked_in(&place))?))
    }

    fn content(
        &self,
        dataset: &dyn Dataset,
        file: &RemoteFile,
        progress: &mut dyn Progress,
    ) -> Result<Vec<u8>, DataError> {
        if let Some(path) = self.find(dataset, file) {
            let content = fs::read(&path).map_err(|source| DataError::Io { path: path.clone(), source })?;
            return if file.is(&content) {
                Ok(content)
            } else {
                Err(DataError::Altered { path, expected: file.sha256 })
            };
        }
        let folder = self.cache.join(dataset.name());
        let advice = || self.advice(dataset);
        let content = fetch::fetch(dataset, file, self.mirror.as_deref(), advice, progress)?;
        write_whole(&folder, file.name, &content)?;
        Ok(content)
    }

    /// Where a file is, right or not.
    fn find(&self, dataset: &dyn Dataset, file: &RemoteFile) -> Option<PathBuf> {
        self.folders(dataset).map(|folder| folder.join(file.name)).find(|path| path.exists())
    }

    /// What to do about a file that cannot be fetched.
    fn advice(&self, dataset: &dyn Dataset) -> String {
        let folders: Vec<_> = self.folders(dataset).map(|folder| folder.display().to_string()).collect();
        let mut advice =
            format!("It was looked for in {}; put the official file there", folders.join(" and "));
        if dataset.archive().is_some() {
            advice.push_str(", packed or unpacked");
        }
        match &self.given {
            None => advice.push_str(", or let OPTLAB_DATA_DIR name a folder that has it"),
            Some(given) if !given.is_dir() => {
                advice.push_str(&format!("; {}, which OPTLAB_DATA_DIR names, is no folder", given.display()));
            }
            Some(_) => {}
        }
        advice
    }

    fn folders(&self, dataset: &dyn Dataset) -> impl Iterator<Item = PathBuf> {
        let name = dataset.name();
        self.places().map(move |place| place.join(name))
    }

    fn places(&self) -> impl Iterator<Item = &PathBuf> {
        self.given.iter().chain([&self.cache])
    }
}

/// A file of this name is whole or not there, also when two processes fetch it at once.
fn write_whole(folder: &Path, name: &str, content: &[u8]) -> Result<(), DataError> {
    let partial = folder.join(format!("{name}.{}.partial", std::process::id()));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&partial, content))
        .and_then(|()| fs::rename(&partial, folder.join(name)))
        .map_err(|source| DataError::Io { path: partial, source })
}
