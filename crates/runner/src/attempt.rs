//! One attempt at a job: from the command to the summary.

use optlab_spec::protocol::{Event, Run, Summary};

use crate::checkpoint::{self, Checkpoints};
use crate::data::DataSource;
use crate::environment::{self, environment};
use crate::export::export;
use crate::failure::JobError;
use crate::fetching::Fetching;
use crate::inbox::Inbox;
use crate::job::Job;
use crate::memory::PeakMemory;
use crate::meter::Meter;
use crate::pipe::EventPipe;
use crate::training::{self, Reached};

/// The regular end of a run.
#[derive(Debug)]
pub enum End {
    /// With all of its updates.
    Finished(Summary),
    /// A pause was requested or due; the job resumes from here or from the beginning.
    Paused {
        /// Of the newest checkpoint; 0 without one.
        step: u64,
    },
}

/// Trains to the end, or to a pause.
///
/// # Errors
/// Whatever stops it. If that is a request or a loss that is not finite, every point up to there is sent.
pub fn run(run: &Run, source: &mut DataSource, inbox: &Inbox, pipe: &mut EventPipe) -> Result<End, JobError> {
    let device = environment::of_libtorch(run.device)?;
    source.forget_others(&run.spec, device);
    let memory = PeakMemory::begin(device);
    let threads = run.spec.resources.threads;
    tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    let steps = run.spec.train.total_steps();
    let started = |step| Event::Started { step, environment: environment(run.device, threads), steps };
    let mut job = match &run.resume_from {
        None => {
            pipe.send(&started(0))?;
            Job::prepare(&run.spec, device, source, &mut Fetching::new(pipe))?
        }
        Some(file) => {
            let resumed = checkpoint::resume(&run.spec, device, file, source, &mut Fetching::new(pipe));
            if matches!(resumed, Err(JobError::Checkpoint { .. })) {
                pipe.send(&Event::UnusableCheckpoint)?;
            }
            resumed?
        }
    };
    if let Some(step) = job.resumed_at {
        pipe.send(&started(step))?;
    }
    let folder = run.artifact_dir.as_deref();
    let mut checkpoints = Checkpoints::new(folder, run.spec.checkpoint, job.resumed_at);
    let mut meter = Meter::new(pipe, checkpoints.newest());
    if training::train(&mut job, &mut meter, &inbox.requests(run.stop_at), &mut checkpoints)?
        == Reached::Pause
    {
        return Ok(End::Paused { step: checkpoints.newest() });
    }
    let seconds = job.clock.elapsed().as_secs_f64();
    let weights =
        folder.map(|folder| job.average.show(&mut job.network, |network| export(network, folder))?);
    Ok(End::Finished(Summary {
        parameters_trained: job.optimizer.numbers(),
        seconds,
        peak_memory_bytes: memory.and_then(|memory| memory.bytes()),
        weights: weights.transpose()?,
    }))
}
