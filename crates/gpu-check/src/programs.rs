//! The files of the archive.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The programs and files around this one. In the archive, programs are in `bin/`, and the rest is beside that folder.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Those around the running program.
    ///
    /// # Errors
    /// If the system cannot name it.
    pub fn find() -> io::Result<Self> {
        let program = env::current_exe()?;
        Ok(Self { folder: program.parent().map(Path::to_owned).unwrap_or_default() })
    }

    /// This program.
    pub fn check(&self) -> PathBuf {
        self.folder.join("optlab-gpu-check")
    }

    /// The service and its commands.
    pub fn optlab(&self) -> PathBuf {
        self.folder.join("optlab")
    }

    /// The program that trains.
    pub fn runner(&self) -> PathBuf {
        self.folder.join("optlab-runner")
    }

    /// PyTorch's training step, if it was packed.
    pub fn torch_step(&self) -> Option<PathBuf> {
        let script = self.folder.parent()?.join("torch_step.py");
        script.exists().then_some(script)
    }

    /// The commit that the programs were built from, as the archive names it.
    pub fn commit(&self) -> String {
        let named = self.folder.parent().and_then(|root| fs::read_to_string(root.join("COMMIT")).ok());
        named.map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
    }
}
