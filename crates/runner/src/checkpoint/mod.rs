//! Checkpoints: when a run writes one, and which ones it keeps.

mod saved;

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use optlab_data::Progress;
use optlab_spec::{CheckpointSpec, JobSpec, KEPT_CHECKPOINTS};
use tch::Device;

use crate::clock::{self, TrainingClock};
use crate::data::DataSource;
use crate::failure::JobError;
use crate::job::Job;
use crate::meter::Meter;

use self::saved::Saved;

/// The checkpoints of one attempt.
pub struct Checkpoints<'a> {
    folder: Option<&'a Path>,
    spec: CheckpointSpec,
    /// Completed updates of the newest.
    newest: Option<u64>,
    written: Instant,
}

impl<'a> Checkpoints<'a> {
    /// Checkpoints in `folder`, if there is one. The attempt starts now, from the checkpoint of `newest` updates, if
    /// any.
    pub fn new(folder: Option<&'a Path>, spec: CheckpointSpec, newest: Option<u64>) -> Self {
        Self { folder, spec, newest, written: clock::instant() }
    }

    /// Completed updates of the newest checkpoint, written or resumed from; 0 without one.
    pub fn newest(&self) -> u64 {
        self.newest.unwrap_or(0)
    }

    /// Whether a checkpoint is due after `step` updates.
    pub fn is_due(&self, step: u64) -> bool {
        let CheckpointSpec { every_seconds, every_steps } = self.spec;
        let by_steps = every_steps.is_some_and(|every| step.is_multiple_of(every));
        let by_time =
            || every_seconds.is_some_and(|every| self.written.elapsed() >= Duration::from_secs(every));
        self.folder.is_some() && (by_steps || by_time())
    }

    /// Sends every point, writes the state of `job` after `step` updates, reports it, and deletes old checkpoints. Does
    /// nothing without a folder, or if the step has a checkpoint.
    ///
    /// # Errors
    /// Those of [`Meter::flush`] and `Saved::write`: no checkpoint holds a loss that is not finite.
    pub fn write(&mut self, job: &mut Job<'_>, step: u64, meter: &mut Meter<'_>) -> Result<(), JobError> {
        let Some(folder) = self.folder.filter(|_| self.newest != Some(step)) else { return Ok(()) };
        meter.flush()?;
        let file = Saved::write(job, step, folder, &name(step))?;
        meter.checkpoint(step, file)?;
        // Remaining files do no harm.
        if let Err(error) = delete(folder, step, KEPT_CHECKPOINTS) {
            tracing::warn!(%error, "cannot delete old checkpoints");
        }
        (self.newest, self.written) = (Some(step), clock::instant());
        meter.resume();
        Ok(())
    }
}

/// Brings a job back to where it was when the checkpoint in `file` was written: builds it, then overwrites its state.
/// The data are from `source`; `progress` is notified of downloads.
///
/// # Errors
/// [`JobError::Checkpoint`], and those of [`Job::prepare`].
pub fn resume<'a>(
    spec: &'a JobSpec,
    device: Device,
    file: &Path,
    source: &mut DataSource,
    progress: &mut dyn Progress,
) -> Result<Job<'a>, JobError> {
    let saved = Saved::read(file, spec.train.total_steps())?;
    let (step, trained_for) = (saved.step, saved.trained_for);
    let mut job = Job { resumed_at: Some(step), ..Job::at(step, spec, device, source, progress)? };
    saved.restore(job.state())?;
    job.network.trained().into_iter().try_for_each(|trained| trained.refresh())?;
    job.clock = TrainingClock::after(trained_for);
    Ok(job)
}

fn name(step: u64) -> String {
    format!("checkpoint-{step}.safetensors")
}

/// Deletes the checkpoints in `folder` up to `step`, except the `keep` newest of them, and incomplete files of killed
/// processes. Checkpoints of later steps belong to an attempt that this one has not caught up with.
fn delete(folder: &Path, step: u64, keep: usize) -> io::Result<()> {
    let mut steps = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?.file_name();
        let Some((number, rest)) =
            entry.to_str().and_then(|name| name.strip_prefix("checkpoint-")?.split_once('.'))
        else {
            continue;
        };
        match (number.parse::<u64>(), rest) {
            (Ok(number), "safetensors") if number <= step => steps.push(number),
            (Ok(_), "safetensors.part") => fs::remove_file(folder.join(&entry))?,
            _ => {}
        }
    }
    steps.sort_unstable_by(|a, b| b.cmp(a));
    steps.into_iter().skip(keep).try_for_each(|old| fs::remove_file(folder.join(name(old))))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_newest_checkpoints_up_to_a_step_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let strangers = ["weights.safetensors", "checkpoint-x.safetensors", "checkpoint-1.txt"];
        let files = ["checkpoint-9.safetensors", "checkpoint-10.safetensors", "checkpoint-100.safetensors"];
        let leftovers = ["checkpoint-8.safetensors", "checkpoint-11.safetensors.part"];
        for file in strangers.iter().chain(&files).chain(&leftovers) {
            fs::write(folder.path().join(file), "").unwrap();
        }
        let names = || -> BTreeSet<String> {
            let entries = fs::read_dir(&folder).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        delete(folder.path(), 10, KEPT_CHECKPOINTS).unwrap();
        assert_eq!(names(), strangers.iter().chain(&files).map(ToString::to_string).collect());
    }

    #[test]
    fn checkpoints_are_due_by_steps_or_time() {
        let due = |folder, every_seconds, every_steps| {
            let spec = CheckpointSpec { every_seconds, every_steps };
            [2, 3, 4, 6].map(|step| Checkpoints::new(folder, spec, None).is_due(step))
        };
        let here = Some(Path::new("."));
        assert_eq!(due(here, None, Some(3)), [false, true, false, true]);
        assert_eq!(due(here, Some(1_000_000), Some(3)), [false, true, false, true]);
        assert_eq!(due(here, Some(0), None), [true; 4]);
        assert_eq!(due(None, Some(0), Some(1)), [false; 4]);
    }
}
