//! The contents of a checkpoint: everything on which the next update depends and that does not follow from spec and
//! step.
//!
//! It contains no state of a random generator, because no draw depends on an earlier one; no position in the data and
//! no learning rate, which follow from the step; and no points, which were all sent before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use optlab_opt::{State, host};
use optlab_spec::protocol::Artifact;
use tch::{TchError, Tensor};

use crate::failure::JobError;
use crate::job::Job;
use crate::tensor_file::{self, Content, ReadError};
use crate::trained::Parts;

/// The key in the header, and the version of the format.
const KEY: &str = "optlab_checkpoint";
const VERSION: &str = "2";

/// The name of the number of completed updates.
const STEP: &str = "step";

/// The name of their wall time.
const MICROSECONDS: &str = "microseconds";

/// A checkpoint in memory.
#[derive(Debug)]
pub struct Saved {
    file: PathBuf,
    /// Completed updates.
    pub step: u64,
    /// Their wall time.
    pub trained_for: Duration,
    tensors: BTreeMap<String, Tensor>,
}

impl Saved {
    /// Writes the state of `job` after `step` updates to the file `name` of `folder`.
    ///
    /// # Errors
    /// Those of [`tensor_file::write`].
    pub fn write(job: &mut Job<'_>, step: u64, folder: &Path, name: &str) -> Result<Artifact, JobError> {
        let mut step = step;
        // What was measured before the first update is measured again.
        let mut microseconds = if step == 0 { 0 } else { job.clock.elapsed().as_micros() as u64 };
        let counts = [(STEP, &mut step), (MICROSECONDS, &mut microseconds)];
        let counts = counts.map(|(name, count)| (name.to_owned(), State::Count(count)));
        let tensors = job.state().into_iter().chain(counts).map(|(name, part)| Ok((name, tensor(&part)?)));
        let tensors = tensors.collect::<Result<Vec<_>, TchError>>()?;
        tensor_file::write(folder, name, &tensors, Some((KEY, VERSION.to_owned())))
    }

    /// Reads a file of a job of `steps` updates.
    ///
    /// # Errors
    /// [`JobError::Checkpoint`]; [`JobError::Read`] if this machine cannot read it.
    pub fn read(file: &Path, steps: u64) -> Result<Self, JobError> {
        let unusable = |why| JobError::Checkpoint { file: file.to_owned(), why };
        let Content { mut tensors, about } = tensor_file::read(file, KEY).map_err(|error| match error {
            ReadError::Io(why) => JobError::Read { file: file.to_owned(), why },
            ReadError::Content(why) => unusable(why),
        })?;
        match about.as_deref() {
            Some(VERSION) => {}
            Some(other) => return Err(unusable(format!("its version is {other}, not {VERSION}"))),
            None => return Err(unusable("it is a safetensors file of another kind".to_owned())),
        }
        let mut number = |name| match tensors.remove(name) {
            Some(tensor) => Ok(count(&tensor)?),
            None => Err(unusable(format!("it has no `{name}`"))),
        };
        let (step, microseconds) = (number(STEP)?, number(MICROSECONDS)?);
        if step > steps {
            return Err(unusable(format!("its {step} updates are beyond the {steps} of this job")));
        }
        let trained_for = Duration::from_micros(microseconds);
        Ok(Self { file: file.to_owned(), step, trained_for, tensors })
    }

    /// Overwrites `state` in place, if exactly its parts were saved.
    ///
    /// # Errors
    /// [`JobError::Checkpoint`], before anything is overwritten, and libtorch's own.
    pub fn restore(mut self, state: Parts<'_>) -> Result<(), JobError> {
        let unusable = |why| JobError::Checkpoint { file: self.file.clone(), why };
        let mut pairs = Vec::new();
        for (name, part) in state {
            let Some(saved) = self.tensors.remove(&name) else {
                return Err(unusable(format!("it has no `{name}`, which this job needs")));
            };
            let (is, wanted) = (shape(&saved), shape(&tensor(&part)?));
            if is != wanted {
                return Err(unusable(format!("its `{name}` is {is}, but this job's is {wanted}")));
            }
            pairs.push((part, saved));
        }
        if let Some(surplus) = self.tensors.keys().next() {
            return Err(unusable(format!("it has a `{surplus}`, which this job does not have")));
        }
        let _guard = tch::no_grad_guard();
        for (part, saved) in pairs {
            match part {
                State::Tensor(mut tensor) => tensor.f_copy_(&saved)?,
                State::Count(steps) => *steps = count(&saved)?,
            }
        }
        Ok(())
    }
}

/// The tensor of a part.
fn tensor(part: &State<'_>) -> Result<Tensor, TchError> {
    match part {
        State::Tensor(tensor) => tensor.f_detach(),
        State::Count(steps) => Tensor::f_from_slice(&[**steps as i64])?.f_view([0i64; 0]),
    }
}

/// The inverse; a file contains the same 64 bits.
fn count(tensor: &Tensor) -> Result<u64, TchError> {
    Ok(host::integer(tensor)? as u64)
}

fn shape(tensor: &Tensor) -> String {
    format!("{:?} of {:?}", tensor.size(), tensor.kind())
}
