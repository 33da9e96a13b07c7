//! Finds, downloads and verifies the files of data sets on this machine.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use optlab_net::Network;

use crate::archive::Archive;
use crate::dataset::{Dataset, RemoteFile, Split};
use crate::error::DataError;
use crate::fetch::{self, Progress};

/// The folders that are searched for data files.
#[derive(Clone, Debug)]
pub struct Library {
    /// The user's own folder (`OPTLAB_DATA_DIR`): searched first, never written.
    pub given: Option<PathBuf>,
    /// Searched next; downloaded files are stored here.
    pub cache: PathBuf,
    /// Tried before the official addresses, as `MIRROR/DATASET/FILE` (`OPTLAB_DATA_MIRROR`).
    pub mirror: Option<String>,
    /// How the mirror and the official addresses are reached.
    pub network: Network,
}

/// Whether the files of a data set are on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Part of the program.
    BuiltIn,
    /// All files are in this folder, with their official sizes. They are verified when they are used.
    Present(PathBuf),
    /// This file does not have the official size, and takes precedence over an intact one.
    Altered(PathBuf),
    /// The files must be downloaded: this many bytes.
    Absent(u64),
}

impl Library {
    /// `OPTLAB_DATA_DIR`, `OPTLAB_DATA_MIRROR`, the user's cache folder (`XDG_CACHE_HOME`, else `~/.cache`) and the
    /// proxies. Programs call this once, at the start.
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
            network: Network::from_env(),
        }
    }

    /// Whether the files of `dataset` are on this machine.
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

    /// Finds, downloads if necessary, verifies and decodes a data set.
    ///
    /// # Errors
    /// The error names the file that is missing, altered or malformed.
    pub fn load(&self, dataset: &dyn Dataset, progress: &mut dyn Progress) -> Result<Split, DataError> {
        dataset.decode(&self.contents(dataset, progress)?)
    }

    /// Verifies and decodes the local files, without downloading or replacing any.
    ///
    /// # Errors
    /// The error names the file that is missing, altered or malformed.
    pub fn verify(&self, dataset: &dyn Dataset) -> Result<(), DataError> {
        let contents = self.gather(dataset, |file| {
            self.here(dataset, file)?.ok_or_else(|| DataError::Io {
                path: self.cache.join(dataset.name()).join(file.name),
                source: io::ErrorKind::NotFound.into(),
            })
        })?;
        dataset.decode(&contents).map(|_| ())
    }

    /// The verified contents that [`load`](Self::load) decodes. A damaged file in the cache is downloaded again. An
    /// archive that was unpacked in the folder of its data set or beside it, such as
    /// `OPTLAB_DATA_DIR/cifar-100-binary/train.bin`, replaces the packed one.
    ///
    /// # Errors
    /// The error names the file that is missing or altered.
    pub fn contents(
        &self,
        dataset: &dyn Dataset,
        progress: &mut dyn Progress,
    ) -> Result<Vec<Vec<u8>>, DataError> {
        self.gather(dataset, |file| match self.here(dataset, file) {
            Ok(Some(content)) => Ok(content),
            Ok(None) => self.fetch(dataset, file, None, progress),
            Err(DataError::Altered { path, .. }) if !self.is_given(&path) => {
                self.fetch(dataset, file, Some(&path), progress)
            }
            Err(error) => Err(error),
        })
    }

    /// The contents of a data set, whose files `get` returns.
    fn gather(
        &self,
        dataset: &dyn Dataset,
        get: impl FnMut(&RemoteFile) -> Result<Vec<u8>, DataError>,
    ) -> Result<Vec<Vec<u8>>, DataError> {
        if let Some((archive, folder)) = self.unpacked(dataset) {
            return archive.read(&folder);
        }
        let contents: Vec<_> = dataset.files().iter().map(get).collect::<Result<_, _>>()?;
        match (dataset.archive(), dataset.files(), &contents[..]) {
            (Some(archive), [file], [packed]) => archive.unpack(file.name, packed),
            _ => Ok(contents),
        }
    }

    /// A data set's archive and the folder in which it is unpacked, if it is.
    fn unpacked<'a>(&self, dataset: &'a dyn Dataset) -> Option<(&'a Archive, PathBuf)> {
        let archive = dataset.archive()?;
        let mut places = self.places().cloned().chain(self.folders(dataset));
        Some((archive, places.find_map(|place| archive.unpacked_in(&place))?))
    }

    /// The verified content of the local file; `None` if there is no local file.
    fn here(&self, dataset: &dyn Dataset, file: &RemoteFile) -> Result<Option<Vec<u8>>, DataError> {
        let Some(path) = self.find(dataset, file) else { return Ok(None) };
        let content = fs::read(&path).map_err(|source| DataError::Io { path: path.clone(), source })?;
        if file.is(&content) {
            Ok(Some(content))
        } else {
            Err(DataError::Altered { path, expected: file.sha256 })
        }
    }

    /// Downloads the file into the cache and replaces the `broken` one there, if any.
    fn fetch(
        &self,
        dataset: &dyn Dataset,
        file: &RemoteFile,
        broken: Option<&Path>,
        progress: &mut dyn Progress,
    ) -> Result<Vec<u8>, DataError> {
        let advice = || match broken {
            Some(path) => format!("{} is truncated or altered. {}", path.display(), self.advice(dataset)),
            None => self.advice(dataset),
        };
        let content = fetch::fetch(dataset, file, self.mirror.as_deref(), &self.network, advice, progress)?;
        write_atomically(&self.cache.join(dataset.name()), file.name, &content)?;
        Ok(content)
    }

    /// Whether the file is in the user's own folder, which is never written to.
    pub fn is_given(&self, path: &Path) -> bool {
        self.given.as_ref().is_some_and(|given| path.starts_with(given))
    }

    /// The path of a file that exists, intact or not.
    fn find(&self, dataset: &dyn Dataset, file: &RemoteFile) -> Option<PathBuf> {
        self.folders(dataset).map(|folder| folder.join(file.name)).find(|path| path.exists())
    }

    /// Advice about a file that cannot be downloaded.
    fn advice(&self, dataset: &dyn Dataset) -> String {
        let folders: Vec<_> = self.folders(dataset).map(|folder| folder.display().to_string()).collect();
        let mut advice =
            format!("optlab looked for it in {}; put the official file there", folders.join(" and "));
        if dataset.archive().is_some() {
            advice.push_str(", packed or unpacked");
        }
        match &self.given {
            None => advice.push_str(", or set OPTLAB_DATA_DIR to a folder that contains it"),
            Some(given) if !given.is_dir() => {
                advice.push_str(&format!("; OPTLAB_DATA_DIR is {}, which is not a folder", given.display()));
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

/// Writes a file so that it is never incomplete, even if two processes write it at once.
fn write_atomically(folder: &Path, name: &str, content: &[u8]) -> Result<(), DataError> {
    let partial = folder.join(format!("{name}.{}.partial", std::process::id()));
    let written = fs::create_dir_all(folder)
        .and_then(|()| fs::write(&partial, content))
        .and_then(|()| fs::rename(&partial, folder.join(name)));
    written.map_err(|source| {
        // On a full disk, the partial file must not occupy the remaining space.
        let _ = fs::remove_file(&partial);
        DataError::Io { path: partial, source }
    })
}
