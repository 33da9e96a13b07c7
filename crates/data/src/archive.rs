//! Data sets that are published as one tar archive with gzip around it: its members, packed or unpacked.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::checksum::has_sha256;
use crate::error::DataError;

/// The files of a data set in its archive.
#[derive(Debug)]
pub struct Archive {
    /// The folder that unpacking makes.
    pub folder: &'static str,
    /// The files in it that hold the data.
    pub members: &'static [Member],
}

/// A file in an archive.
#[derive(Debug)]
pub struct Member {
    /// Its name in the folder.
    pub name: &'static str,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the unpacked file, in lower-case hexadecimal.
    pub sha256: &'static str,
}

impl Archive {
    /// The unpacked archive in the folder `place`, if every file is there.
    pub(crate) fn unpacked_in(&self, place: &Path) -> Option<PathBuf> {
        let folder = place.join(self.folder);
        self.members.iter().all(|member| folder.join(member.name).exists()).then_some(folder)
    }

    /// The files in a folder, verified.
    ///
    /// # Errors
    /// Returns an error that names an altered file.
    pub(crate) fn read(&self, folder: &Path) -> Result<Vec<Vec<u8>>, DataError> {
        let read = |member: &Member| {
            let path = folder.join(member.name);
            let content = fs::read(&path).map_err(|source| DataError::Io { path: path.clone(), source })?;
            if has_sha256(&content, member.sha256) {
                Ok(content)
            } else {
                Err(DataError::Altered { path, expected: member.sha256 })
            }
        };
        self.members.iter().map(read).collect()
    }

    /// The files in the verified archive `name`.
    ///
    /// # Errors
    /// [`DataError::Malformed`] if a member is missing.
    pub(crate) fn unpack(&self, name: &str, packed: &[u8]) -> Result<Vec<Vec<u8>>, DataError> {
        let malformed = |detail: String| DataError::Malformed { file: name.to_owned(), detail };
        let unreadable = |error: std::io::Error| malformed(format!("is not a tar archive: {error}"));
        let mut contents = vec![None; self.members.len()];
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed));
        for entry in archive.entries().map_err(unreadable)? {
            let mut entry = entry.map_err(unreadable)?;
            let path = entry.path().map_err(unreadable)?;
            let index = self.members.iter().position(|m| path == Path::new(self.folder).join(m.name));
            let Some(index) = index else { continue };
            let mut content = Vec::with_capacity(entry.size() as usize);
            entry.read_to_end(&mut content).map_err(unreadable)?;
            contents[index] = Some(content);
        }
        let required = |(content, member): (Option<Vec<u8>>, &Member)| {
            content.ok_or_else(|| malformed(format!("does not contain {}/{}", self.folder, member.name)))
        };
        contents.into_iter().zip(self.members).map(required).collect()
    }
}
