//! `resume.json`: the checkpoints of a run, and what spec and points were when each was written.

use std::path::Path;

use anyhow::{Context, ensure};
use optlab_domain::Device;
use optlab_spec::KEPT_CHECKPOINTS;
use serde::{Deserialize, Serialize};

use super::files::{POINTS, SPEC};
use crate::artifacts::sha256;
use crate::cli::input;

/// A checkpoint in the folder. Every point up to it is in the folder too.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Checkpoint {
    /// Completed updates.
    pub(super) step: u64,
    /// File name.
    pub(super) file: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub(super) sha256: String,
    /// Device of the run. On another device, the run would not continue bit for bit.
    pub(super) device: Device,
    /// Time limit of one attempt.
    pub(super) time_limit_seconds: u64,
}

/// A checkpoint, and the state of the folder when it was written.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Resumable {
    pub(super) checkpoint: Checkpoint,
    spec_sha256: String,
    /// Length of the points up to the checkpoint, in bytes.
    pub(super) points_bytes: u64,
    points_sha256: String,
}

/// Content of `resume.json`, the newest checkpoint first.
#[derive(Default, Deserialize, Serialize)]
pub(super) struct Checkpoints {
    checkpoints: Vec<Resumable>,
}

impl Resumable {
    pub(super) fn new(checkpoint: Checkpoint, spec: &[u8], points: &[u8]) -> Self {
        let points_bytes = points.len() as u64;
        Self { checkpoint, spec_sha256: sha256(spec), points_bytes, points_sha256: sha256(points) }
    }

    /// Fails if the checkpoint, or the spec or a point that belongs to it, has changed.
    fn verify(&self, folder: &Path) -> anyhow::Result<()> {
        let Self { checkpoint, spec_sha256, points_bytes, points_sha256 } = self;
        let points = input::regular(&folder.join(POINTS))?;
        let points = points.get(..*points_bytes as usize).unwrap_or_default();
        let verified = |name: &str, content: &[u8], expected: &str| {
            ensure!(
                sha256(content) == expected,
                "{} was altered: its SHA-256 differs",
                folder.join(name).display()
            );
            Ok(())
        };
        verified(SPEC, &input::regular(&folder.join(SPEC))?, spec_sha256)?;
        verified(POINTS, points, points_sha256)?;
        let state = input::regular(&folder.join(&checkpoint.file))?;
        verified(&checkpoint.file, &state, &checkpoint.sha256)
    }
}

impl Checkpoints {
    /// The newest checkpoint with which the run in `folder` can be resumed. Also returns why newer ones cannot be used.
    pub(super) fn usable(&self, folder: &Path) -> anyhow::Result<(Resumable, Option<anyhow::Error>)> {
        let mut damage = None;
        for candidate in &self.checkpoints {
            match candidate.verify(folder) {
                Ok(()) => return Ok((candidate.clone(), damage)),
                Err(error) => damage = damage.or(Some(error)),
            }
        }
        let damage = damage.context("resume.json lists no checkpoint")?;
        Err(damage.context("the run cannot be resumed; start it again"))
    }

    /// The names of the files.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.checkpoints.iter().map(|known| known.checkpoint.file.as_str())
    }

    /// Makes `newest` the first to resume from. Later steps are those of files that have been replaced since.
    pub(super) fn add(&mut self, newest: Resumable) {
        self.checkpoints.retain(|known| known.checkpoint.step < newest.checkpoint.step);
        self.checkpoints.insert(0, newest);
        self.checkpoints.truncate(KEPT_CHECKPOINTS);
    }
}
