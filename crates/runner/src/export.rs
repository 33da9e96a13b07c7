//! The weights that a run leaves: a file of plain tensors, with nothing of OPT in it.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tch::{TchError, Tensor};

use crate::failure::JobError;
use crate::network::Network;

/// In the folder that the slot names.
const FILE: &str = "weights.safetensors";

/// Writes every tensor of `network` by its name, in the safetensors format (docs/weights.md). The file is there whole
/// or not at all, also after a power cut.
///
/// # Errors
/// [`JobError::Setup`] where the folder cannot be written, and libtorch's own.
pub fn export(network: &Network, folder: &Path) -> Result<(), JobError> {
    let part = folder.join(format!("{FILE}.part"));
    let wrong = |error: &dyn std::fmt::Display| {
        JobError::Setup(format!("the weights cannot be written to {}: {error}", folder.display()))
    };
    Tensor::write_safetensors(&network.tensors()?, &part).map_err(|error| match error {
        TchError::SafeTensorError { err, .. } => wrong(&err),
        error => error.into(),
    })?;
    replace(&part, &folder.join(FILE)).map_err(|error| wrong(&error))
}

fn replace(part: &Path, file: &Path) -> io::Result<()> {
    File::open(part)?.sync_all()?;
    fs::rename(part, file)?;
    // The name is in the folder, which is a file of its own to a disk.
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
