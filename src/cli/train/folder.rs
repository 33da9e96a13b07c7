//! The folder of a run: its spec, points and checkpoints.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use optlab_spec::JobSpec;
use optlab_spec::protocol::{Point, Summary};

use super::checkpoints::{Checkpoint, Checkpoints, Resumable};
use super::files::{POINTS, RESUME, RUN, SPEC, SUMMARY};
use super::origin::{Began, Origin};
use super::points::{self, HEADER};
use super::summary::RunSummary;
use crate::cli::{input, output};
use crate::clock::{Clock, SystemClock};

/// The folder of one run, locked against other processes.
pub(super) struct RunFolder {
    path: PathBuf,
    /// Holds the lock, which the system releases when the process ends.
    _owner: File,
    /// `None` until the run has begun.
    points: Option<File>,
    /// Length of the points up to the checkpoint to resume from, in bytes; 0 in a new folder.
    points_bytes: u64,
    is_new: bool,
    /// The checkpoint to resume from at present.
    checkpoint: Option<Checkpoint>,
    checkpoints: Checkpoints,
}

impl RunFolder {
    /// Creates a new folder; an earlier run is never overwritten.
    pub(super) fn fresh(parent: &Path, name: &str) -> anyhow::Result<Self> {
        fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        for number in 1.. {
            let path = parent.join(if number == 1 { name.to_owned() } else { format!("{name}-{number}") });
            match fs::create_dir(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error).with_context(|| path.display().to_string()),
                Ok(()) => {
                    let mut folder = Self::own(path)?;
                    folder.is_new = true;
                    return Ok(folder);
                }
            }
        }
        unreachable!("there are more numbers than folders")
    }

    /// Opens the folder of an interrupted run; returns its spec and the checkpoint to resume from.
    pub(super) fn interrupted(path: &Path) -> anyhow::Result<(Self, JobSpec, Checkpoint)> {
        let mut folder = Self::own(path.to_owned())?;
        let shown = path.display();
        let spec = input::regular(&path.join(SPEC))
            .with_context(|| format!("{shown} is not the folder of a run"))?;
        ensure!(!path.join(SUMMARY).exists(), "the run in {shown} is complete; there is nothing to resume");
        let resume = path.join(RESUME);
        ensure!(resume.exists(), "the run in {shown} ended before its first checkpoint; start it again");
        let checkpoints: Checkpoints = serde_json::from_slice(&input::regular(&resume)?)
            .with_context(|| resume.display().to_string())?;
        let (Resumable { checkpoint, points_bytes, .. }, damage) = checkpoints.usable(path)?;
        if let Some(damage) = damage {
            let step = checkpoint.step;
            output::note(format!("optlab: {damage:#}. Resuming from the checkpoint before, at step {step}"));
        }
        folder.points_bytes = points_bytes;
        folder.checkpoint = Some(checkpoint.clone());
        folder.checkpoints = checkpoints;
        Ok((folder, JobSpec::from_stored(&serde_json::from_slice(&spec)?)?, checkpoint))
    }

    fn own(path: PathBuf) -> anyhow::Result<Self> {
        let shown = || path.display().to_string();
        ensure!(fs::metadata(&path).with_context(shown)?.is_dir(), "{} is not a folder", shown());
        let owner = File::open(&path).with_context(shown)?;
        if owner.try_lock().is_err() {
            bail!("another optlab process is using {}", path.display());
        }
        Ok(Self {
            path,
            _owner: owner,
            points: None,
            points_bytes: 0,
            is_new: false,
            checkpoint: None,
            checkpoints: Checkpoints::default(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How to resume the run, if that is possible, as the end of a sentence.
    pub(super) fn resume_hint(&self) -> String {
        match &self.checkpoint {
            Some(Checkpoint { step, .. }) => {
                format!("; `optlab train --resume {}` resumes at step {step}", self.path.display())
            }
            None => String::new(),
        }
    }

    /// Where an interrupted run came from.
    pub(super) fn origin(&self) -> anyhow::Result<Origin> {
        let path = self.path.join(RUN);
        serde_json::from_slice(&input::regular(&path)?).with_context(|| path.display().to_string())
    }

    /// Writes the spec of a new run, notes the beginning of an attempt and prepares the points. Points of an interrupted
    /// run after its checkpoint are removed, because they are measured again.
    pub(super) fn begin(&mut self, job: &JobSpec, mut origin: Origin, began: Began) -> anyhow::Result<()> {
        let points = self.path.join(POINTS);
        if self.checkpoint.is_none() {
            self.replace(SPEC, &serde_json::to_vec_pretty(job)?)?;
            self.replace(POINTS, format!("{HEADER}\n").as_bytes())?;
        }
        origin.attempts.push(began);
        self.replace(RUN, &serde_json::to_vec_pretty(&origin)?)?;
        let file = File::options().append(true).open(&points)?;
        if self.checkpoint.is_some() {
            file.set_len(self.points_bytes).with_context(|| points.display().to_string())?;
        }
        self.points = Some(file);
        Ok(())
    }

    /// Appends points that were measured after the step of [`begin`](Self::begin).
    pub(super) fn note(&mut self, points: &[Point]) -> anyhow::Result<()> {
        let mut file = BufWriter::new(self.points.as_ref().context("points before the beginning")?);
        for Point { series, step, value, time_ms } in points {
            writeln!(file, "{series},{step},{value},{time_ms}")?;
        }
        Ok(file.flush()?)
    }

    /// Makes `checkpoint` the one to resume from, after syncing the points up to it.
    pub(super) fn resume_from(&mut self, checkpoint: Checkpoint) -> anyhow::Result<()> {
        if let Some(points) = &self.points {
            points.sync_data()?;
        }
        let (spec, points) =
            (input::regular(&self.path.join(SPEC))?, input::regular(&self.path.join(POINTS))?);
        self.checkpoints.add(Resumable::new(checkpoint.clone(), &spec, &points));
        self.replace(RESUME, &serde_json::to_vec_pretty(&self.checkpoints)?)?;
        self.checkpoint = Some(checkpoint);
        Ok(())
    }

    pub(super) fn finish(&self, summary: &Summary) -> anyhow::Result<()> {
        let (curves, points) = points::read(&self.path)?;
        let summary = RunSummary::new(summary.clone(), &curves, &points, SystemClock.now_ms());
        self.replace(SUMMARY, &serde_json::to_vec_pretty(&summary)?)?;
        // The checkpoints go last, because a run without a summary must be resumable.
        for file in self.checkpoints.files().chain([RESUME]) {
            let _ = fs::remove_file(self.path.join(file));
        }
        Ok(())
    }

    /// Replaces a file atomically.
    fn replace(&self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let (path, partial) = (self.path.join(name), self.path.join(format!("{name}.part")));
        let written = File::create(&partial).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        });
        written.and_then(|()| fs::rename(&partial, &path)).with_context(|| path.display().to_string())
    }
}

impl Drop for RunFolder {
    /// Removes a new folder if it is still empty because the run could not begin.
    fn drop(&mut self) {
        if self.is_new {
            let _ = fs::remove_dir(&self.path);
        }
    }
}
