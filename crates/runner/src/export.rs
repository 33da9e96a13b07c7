//! The exported weights of a run: plain tensors, without traces of OPT.

use std::path::Path;

use optlab_spec::protocol::Artifact;

use crate::failure::JobError;
use crate::network::Network;
use crate::tensor_file;

/// Name of the file in the folder of the job.
const FILE: &str = "weights.safetensors";

/// Writes every tensor of `network` by its name (docs/weights.md).
///
/// # Errors
/// Those of [`tensor_file::write`].
pub fn export(network: &Network, folder: &Path) -> Result<Artifact, JobError> {
    tensor_file::write(folder, FILE, &network.tensors()?, None)
}
