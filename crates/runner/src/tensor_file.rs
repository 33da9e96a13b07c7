//! Files of named tensors in the safetensors format, written atomically, also with respect to power failures.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use optlab_opt::host;
use optlab_spec::protocol::Artifact;
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView, serialize};
use sha2::{Digest, Sha256};
use tch::{TchError, Tensor};

use crate::failure::JobError;

/// The entry of a file's header that is not a tensor, with its key.
pub type About = Option<(&'static str, String)>;

/// Writes `tensors` and `about` to the file `name` of `folder`, replacing an existing one. Equal tensors give equal
/// bytes.
///
/// # Errors
/// [`JobError::Write`] where the folder cannot be written, and libtorch's own.
pub fn write(
    folder: &Path,
    name: &str,
    tensors: &[(String, Tensor)],
    about: About,
) -> Result<Artifact, JobError> {
    let wrong = |error: &dyn fmt::Display| {
        JobError::Write(format!("{name} cannot be written to {}: {error}", folder.display()))
    };
    let copies = tensors.iter().map(|(_, tensor)| copy(tensor)).collect::<Result<Vec<_>, _>>()?;
    let views = tensors.iter().zip(&copies).map(|((name, tensor), copy)| Ok((name, view(tensor, copy)?)));
    let header = about.map(|(key, text)| HashMap::from([(key.to_owned(), text)]));
    let bytes = views.collect::<Result<Vec<_>, _>>().and_then(|views| serialize(views, &header));
    let bytes = bytes.map_err(|error| wrong(&error))?;
    replace(folder, name, &bytes).map_err(|error| wrong(&error))?;
    Ok(Artifact {
        file: name.to_owned(),
        sha256: hexadecimal(&Sha256::digest(&bytes)),
        bytes: bytes.len() as u64,
    })
}

/// The contents of a file.
#[derive(Debug)]
pub struct Content {
    /// On the CPU.
    pub tensors: BTreeMap<String, Tensor>,
    /// The header's entry for the requested key, if any.
    pub about: Option<String>,
}

/// Why a file has no content.
#[derive(Debug)]
pub enum ReadError {
    /// The machine cannot read it now; its content may be good.
    Io(io::Error),
    /// The content is of another kind, or incomplete.
    Content(String),
}

/// Reads a file, and in its header the entry of `key`.
///
/// # Errors
/// [`ReadError`].
pub fn read(file: &Path, key: &str) -> Result<Content, ReadError> {
    let bytes = fs::read(file).map_err(ReadError::Io)?;
    parse(&bytes, key).map_err(ReadError::Content)
}

fn parse(bytes: &[u8], key: &str) -> Result<Content, String> {
    let broken = |error: SafeTensorError| format!("it is not a complete safetensors file ({error})");
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let about = header.metadata().as_ref().and_then(|entries| entries.get(key).cloned());
    let file = SafeTensors::deserialize(bytes).map_err(broken)?;
    let tensor = |(name, view)| Ok((name, Tensor::try_from(view)?));
    let tensors = file.tensors().into_iter().map(tensor).collect::<Result<_, TchError>>();
    Ok(Content { tensors: tensors.map_err(|error| error.to_string())?, about })
}

/// The numbers of a tensor in the order of its indices.
fn copy(tensor: &Tensor) -> Result<(Dtype, Vec<u8>), TchError> {
    Ok((tensor.kind().try_into()?, host::bytes(tensor)?))
}

fn view<'a>(tensor: &Tensor, (kind, bytes): &'a (Dtype, Vec<u8>)) -> Result<TensorView<'a>, SafeTensorError> {
    TensorView::new(*kind, tensor.size().into_iter().map(|length| length as usize).collect(), bytes)
}

/// Writes under a temporary name, and renames the file when it is on the disk.
fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = folder.join(format!("{name}.part"));
    let mut file = File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(part, folder.join(name))?;
    // The folder has the name, so it is synced, too.
    File::open(folder)?.sync_all()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;

    #[test]
    fn numbers_of_every_kind_come_back_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let odd = [0.1, -0.0, f64::MIN_POSITIVE / 4.0, f64::NAN, f64::INFINITY, 1.0 + f64::EPSILON];
        let strided = Tensor::from_slice(&odd).view([2, 3]).tr();
        let tensors = [
            ("strided".to_owned(), strided.shallow_clone()),
            ("count".to_owned(), Tensor::from(u32::MAX as i64 + 7)),
            ("rounded".to_owned(), strided.to_kind(Kind::BFloat16)),
        ];
        let artifact = write(folder.path(), "x", &tensors, Some(("key", "text".to_owned()))).unwrap();
        let Content { tensors: read, about } = read(&folder.path().join("x"), "key").unwrap();
        assert_eq!(about.as_deref(), Some("text"));
        assert_eq!(read.len(), 3);
        for (name, tensor) in read {
            let (_, written) = tensors.iter().find(|(same, _)| *same == name).unwrap();
            assert_eq!(
                (tensor.kind(), copy(&tensor).unwrap()),
                (written.kind(), copy(written).unwrap()),
                "{name}"
            );
        }
        let bytes = fs::read(folder.path().join("x")).unwrap();
        assert_eq!(artifact.bytes, bytes.len() as u64);
        assert_eq!(artifact.sha256, hexadecimal(&Sha256::digest(&bytes)));
    }

    #[test]
    fn an_incomplete_file_is_detected() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("x");
        write(folder.path(), "x", &[("a".to_owned(), Tensor::from(1.0))], None).unwrap();
        let whole = fs::read(&place).unwrap();
        for length in [0, 7, 20, whole.len() - 1] {
            fs::write(&place, &whole[..length]).unwrap();
            let Err(ReadError::Content(why)) = read(&place, "key") else { panic!("{length} bytes") };
            assert!(why.contains("not a complete"), "{length} bytes: {why}");
        }
    }
}
