//! The bytes of artifacts, in a folder or a bucket of an S3-compatible service. The database has their rows.
//!
//! A file is written completely, under a path that no other attempt uses, and is durable when [`ArtifactRoot::put`]
//! returns; only then is its row added. A checkpoint from which a job resumes is verified by its SHA-256.

mod bucket;
mod error;
mod list;
mod path;

use std::io;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, ObjectStore, ObjectStoreExt, parse_url_opts};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

pub use bucket::BucketAccess;
pub use error::ArtifactError;
pub use path::{AttemptFile, JOBS};

/// File that [`ArtifactRoot::try_to_write`] writes.
const TRIED: &str = "write-check";
/// Size of one read.
const CHUNK: usize = 1 << 20;

/// The artifact root of a database.
#[derive(Clone, Debug)]
pub struct ArtifactRoot {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// The folder, if the root is local.
    folder: Option<PathBuf>,
}

/// The length and hash of a stored file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Length in bytes.
    pub bytes: u64,
    /// In lower-case hexadecimal.
    pub sha256: String,
}

impl ArtifactRoot {
    /// Opens `place`: a folder, which is created, or the URL `s3://bucket/folder` of a bucket.
    ///
    /// # Errors
    /// If the folder cannot be created or the URL is invalid.
    pub fn open(place: &str, bucket: &BucketAccess) -> Result<Self, ArtifactError> {
        if !place.contains("://") {
            return Self::folder(FilePath::new(place));
        }
        let unusable = |error: &dyn std::fmt::Display| ArtifactError::Root(format!("`{place}`: {error}"));
        let url = Url::parse(place).map_err(|error| unusable(&error))?;
        if let ("file", Ok(folder)) = (url.scheme(), url.to_file_path()) {
            return Self::folder(&folder);
        }
        let (store, prefix) = parse_url_opts(&url, bucket.options()).map_err(|error| unusable(&error))?;
        Ok(Self { store: Arc::from(store), prefix, folder: None })
    }

    fn folder(folder: &FilePath) -> Result<Self, ArtifactError> {
        let wrong =
            |error: &dyn std::fmt::Display| ArtifactError::Root(format!("{}: {error}", folder.display()));
        std::fs::create_dir_all(folder).map_err(|error| wrong(&error))?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| wrong(&error))?;
        let store = Arc::new(store.with_fsync(true));
        Ok(Self { store, prefix: Path::default(), folder: Some(folder.to_owned()) })
    }

    /// Writes a small file and removes it.
    ///
    /// # Errors
    /// If that fails, for example on a full or read-only disk, or a bucket without write permission.
    pub async fn try_to_write(&self) -> Result<(), ArtifactError> {
        let path = self.place(TRIED)?;
        let tried = async {
            self.store.put(&path, "optlab can write here".into()).await?;
            self.store.delete(&path).await
        };
        tried.await.map_err(|error| ArtifactError::stored(TRIED, error))
    }

    /// Stores the file `from` as `path`.
    ///
    /// # Errors
    /// If it cannot be read or stored.
    pub async fn put(&self, path: &str, from: &FilePath) -> Result<Written, ArtifactError> {
        let mut source = File::open(from).await.map_err(|error| ArtifactError::file(from, error))?;
        let mut sink = BufWriter::new(self.store.clone(), self.place(path)?);
        let (mut hash, mut bytes, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK]);
        loop {
            let read = source.read(&mut chunk).await.map_err(|error| ArtifactError::file(from, error))?;
            if read == 0 {
                break;
            }
            hash.update(&chunk[..read]);
            bytes += read as u64;
            sink.write_all(&chunk[..read]).await.map_err(|error| ArtifactError::stored(path, error))?;
        }
        sink.shutdown().await.map_err(|error| ArtifactError::stored(path, error))?;
        Ok(Written { bytes, sha256: hex::encode(hash.finalize()) })
    }

    /// Downloads `path` into the file `to` and verifies the bytes.
    ///
    /// # Errors
    /// [`ArtifactError::Altered`] if the bytes differ and [`ArtifactError::Missing`] if the file is missing. Any other
    /// error may be temporary: the storage cannot be reached or `to` cannot be written.
    pub async fn fetch(&self, path: &str, sha256: &str, to: &FilePath) -> Result<(), ArtifactError> {
        let mut sink = File::create(to).await.map_err(|error| ArtifactError::file(to, error))?;
        let mut chunks = self.get(path, None).await?.into_stream();
        let mut hash = Sha256::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| ArtifactError::stored(path, error))?;
            hash.update(&chunk);
            sink.write_all(&chunk).await.map_err(|error| ArtifactError::file(to, error))?;
        }
        sink.flush().await.map_err(|error| ArtifactError::file(to, error))?;
        if hex::encode(hash.finalize()) == sha256 {
            Ok(())
        } else {
            Err(ArtifactError::Altered(path.to_owned()))
        }
    }

    /// Reads `path`, whose length must be `bytes`, or a range of it.
    ///
    /// # Errors
    /// [`ArtifactError::Missing`] if the file is missing, [`ArtifactError::Altered`] if it has another length,
    /// [`ArtifactError::Root`] if the whole root is unavailable.
    pub async fn read(
        &self,
        path: &str,
        bytes: u64,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<bytes::Bytes, ArtifactError>>, ArtifactError> {
        let altered = || ArtifactError::Altered(path.to_owned());
        let found = match self.get(path, range).await {
            // The range may be beyond the end of a truncated file.
            Err(error @ ArtifactError::Stored { .. }) => {
                let now = self.store.head(&self.place(path)?).await;
                return Err(if now.is_ok_and(|now| now.size != bytes) { altered() } else { error });
            }
            found => found?,
        };
        if found.meta.size != bytes {
            return Err(altered());
        }
        let path = path.to_owned();
        let chunks = found.into_stream();
        Ok(chunks.map(move |chunk| chunk.map_err(|error| ArtifactError::stored(&path, error))).boxed())
    }

    async fn get(&self, path: &str, range: Option<Range<u64>>) -> Result<GetResult, ArtifactError> {
        if let Some(folder) = &self.folder {
            // Opening a named pipe would wait for a writer.
            let found = tokio::fs::metadata(folder.join(path)).await;
            if found.is_ok_and(|found| !found.is_file()) {
                return Err(ArtifactError::Altered(path.to_owned()));
            }
        }
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        match self.store.get_opts(&self.place(path)?, options).await {
            Ok(found) => Ok(found),
            Err(object_store::Error::NotFound { .. }) => match self.root_error().await {
                None => Err(ArtifactError::Missing(path.to_owned())),
                Some(error) => Err(ArtifactError::Root(error)),
            },
            Err(error) => Err(ArtifactError::stored(path, error)),
        }
    }

    /// The error if the root itself is unavailable, such as an unmounted disk or a deleted bucket.
    async fn root_error(&self) -> Option<String> {
        match &self.folder {
            Some(folder) => {
                let error = tokio::fs::metadata(folder).await.err()?;
                Some(format!("{}: {error}", folder.display()))
            }
            None => self.store.list(Some(&self.prefix)).next().await?.err().map(|error| error.to_string()),
        }
    }

    /// Removes `path`; it may be gone already.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub async fn delete(&self, path: &str) -> Result<(), ArtifactError> {
        let place = self.place(path)?;
        // `object_store` does not see leftovers of interrupted uploads.
        if let Some(folder) = self.folder.as_ref().filter(|_| path.contains('#')) {
            let file = folder.join(path);
            return match tokio::fs::remove_file(&file).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(ArtifactError::file(&file, error))
                }
                _ => Ok(()),
            };
        }
        match self.store.delete(&place).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(ArtifactError::stored(path, error)),
        }
    }

    /// The paths of all files below `folder`, grouped by folder, including leftovers of interrupted uploads.
    pub fn list(&self, folder: &str) -> BoxStream<'static, Result<String, ArtifactError>> {
        match &self.folder {
            Some(root) => list::of_folder(root, folder),
            None => list::of_bucket(&*self.store, &self.prefix, folder),
        }
    }

    /// Rejects `..` and empty names, so that a path cannot leave the root.
    fn place(&self, path: &str) -> Result<Path, ArtifactError> {
        let below = Path::parse(path).map_err(|error| ArtifactError::stored(path, error))?;
        Ok(self.prefix.parts().chain(below.parts()).collect())
    }
}

/// The SHA-256 of some bytes, in the format of the database.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use futures_util::TryStreamExt;

    use super::*;

    async fn text(root: &ArtifactRoot, path: &str, range: Option<Range<u64>>) -> String {
        let chunks: Vec<bytes::Bytes> =
            root.read(path, 10, range).await.unwrap().try_collect().await.unwrap();
        String::from_utf8(chunks.concat()).unwrap()
    }

    #[tokio::test]
    async fn stored_files_can_be_read_fetched_and_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let root =
            ArtifactRoot::open(folder.path().join("new/root").to_str().unwrap(), &BucketAccess::default())
                .unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "0123456789").unwrap();
        let written = root.put("jobs/1/2/file", &file).await.unwrap();
        assert_eq!(written.bytes, 10);
        assert_eq!(text(&root, "jobs/1/2/file", None).await, "0123456789");
        assert_eq!(text(&root, "jobs/1/2/file", Some(2..5)).await, "234");
        let copy = folder.path().join("copy");
        root.fetch("jobs/1/2/file", &written.sha256, &copy).await.unwrap();
        assert_eq!(fs::read(&copy).unwrap(), b"0123456789");
        for _ in 0..2 {
            root.delete("jobs/1/2/file").await.unwrap();
        }
        let gone = root.read("jobs/1/2/file", 10, None).await.err();
        assert!(matches!(gone, Some(ArtifactError::Missing(_))), "{gone:?}");
        fs::remove_dir_all(folder.path().join("new")).unwrap();
        let gone = root.read("jobs/1/2/file", 10, None).await.err();
        assert!(matches!(gone, Some(ArtifactError::Root(_))), "{gone:?}");
    }

    #[tokio::test]
    async fn altered_bytes_are_detected() {
        let folder = tempfile::tempdir().unwrap();
        let root = ArtifactRoot::open(folder.path().to_str().unwrap(), &BucketAccess::default()).unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "as it was").unwrap();
        let written = root.put("x", &file).await.unwrap();
        fs::write(folder.path().join("x"), "as it wos").unwrap();
        let fetched = root.fetch("x", &written.sha256, &folder.path().join("copy")).await;
        assert!(matches!(fetched, Err(ArtifactError::Altered(_))), "{fetched:?}");
        for range in [None, Some(5..6)] {
            let read = root.read("x", 8, range).await.err();
            assert!(matches!(read, Some(ArtifactError::Altered(_))), "{read:?}");
        }
    }

    #[tokio::test]
    async fn a_path_cannot_leave_the_root() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), "x").unwrap();
        let root = ArtifactRoot::open(folder.path().join("root").to_str().unwrap(), &BucketAccess::default())
            .unwrap();
        for path in ["../secret", "a/../../secret", "/../secret", "..%2Fsecret", "a//b"] {
            assert!(root.read(path, 1, None).await.is_err(), "{path}");
        }
    }

    #[test]
    fn an_unusable_root_is_explained() {
        let error = ArtifactRoot::open("gopher://x/y", &BucketAccess::default()).unwrap_err().to_string();
        assert!(error.contains("`gopher://x/y`: "), "{error}");
    }
}
