//! Lists the files below a folder of the root.

use std::fs;
use std::io;
use std::path::Path as FilePath;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::ObjectStore;
use object_store::path::Path;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::ArtifactError;

/// Capacity of the channel of names.
const WAITING: usize = 1000;

/// A stream of paths relative to the root.
pub(super) type Names = BoxStream<'static, Result<String, ArtifactError>>;

/// The files in a bucket, fetched page by page.
pub(super) fn of_bucket(store: &dyn ObjectStore, prefix: &Path, folder: &str) -> Names {
    let prefix = prefix.clone();
    let place: Path = prefix.parts().chain(Path::from(folder).parts()).collect();
    let name = folder.to_owned();
    store
        .list(Some(&place))
        .map(move |file| {
            let file = file.map_err(|error| ArtifactError::stored(&name, error))?;
            let below = file.location.prefix_match(&prefix).map(|parts| parts.collect::<Path>());
            Ok(below.unwrap_or(file.location).to_string())
        })
        .boxed()
}

/// The files in a local folder, including leftovers of interrupted uploads, which `object_store` does not list. Links
/// are not followed.
pub(super) fn of_folder(root: &FilePath, folder: &str) -> Names {
    let (sender, names) = mpsc::channel(WAITING);
    let (root, folder) = (root.to_owned(), folder.to_owned());
    tokio::task::spawn_blocking(move || walk(&root, &folder, &sender));
    ReceiverStream::new(names).boxed()
}

/// Returns whether the receiver still listens.
fn walk(root: &FilePath, folder: &str, found: &mpsc::Sender<Result<String, ArtifactError>>) -> bool {
    let place = root.join(folder);
    let entries = match fs::read_dir(&place) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return true,
        Err(error) => return found.blocking_send(Err(ArtifactError::file(&place, error))).is_ok(),
    };
    for entry in entries.flatten() {
        // optlab writes no files whose names are not UTF-8.
        let (Ok(kind), Some(name)) = (entry.file_type(), entry.file_name().to_str().map(str::to_owned))
        else {
            continue;
        };
        let path = format!("{folder}/{name}");
        let goes_on = if kind.is_dir() {
            walk(root, &path, found)
        } else {
            !kind.is_file() || found.blocking_send(Ok(path)).is_ok()
        };
        if !goes_on {
            return false;
        }
    }
    true
}
