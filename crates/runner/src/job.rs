//! One attempt at a job: from its spec to a prepared training, and to its summary.

use std::path::Path;
use std::time::{Duration, Instant};

use optlab_data::Progress;
use optlab_spec::JobSpec;
use optlab_spec::protocol::{Event, Run, Summary};
use tch::Device;

use crate::average::Average;
use crate::checkpoint::{Checkpoints, Saved};
use crate::data::Data;
use crate::environment::{self, environment};
use crate::export::export;
use crate::failure::JobError;
use crate::geometry::Geometry;
use crate::inbox::Inbox;
use crate::memory::PeakMemory;
use crate::meter::Meter;
use crate::network::Network;
use crate::optimizer::Optimizer;
use crate::penalty::Penalty;
use crate::pipe::EventPipe;
use crate::trained::Parts;
use crate::training::{self, Reached};
use crate::weight::Start;

/// What a training loop works on.
pub struct Job<'a> {
    /// As it was submitted.
    pub spec: &'a JobSpec,
    /// What it learns from and is measured on.
    pub data: Data,
    /// What learns.
    pub network: Network,
    /// What its arm adds to the loss.
    pub penalty: Option<Penalty>,
    /// How it learns.
    pub optimizer: Optimizer,
    /// What is tested of it.
    pub average: Average,
    /// What is measured of its weights.
    pub geometry: Geometry,
    /// Completed updates of the checkpoint that it goes on from; `None` at the beginning, where the start is yet to be
    /// measured.
    pub resumed_at: Option<u64>,
    /// How long it has trained.
    pub clock: Clock,
}

/// Wall time of a training, over the attempts that it goes on from; what they did beyond their last checkpoints, which is
/// done again, does not count.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    before: Duration,
    began: Instant,
}

impl Clock {
    /// Goes on now, after a training of `before`.
    pub fn after(before: Duration) -> Self {
        Self { before, began: Instant::now() }
    }

    /// Up to now.
    pub fn elapsed(&self) -> Duration {
        self.before + self.began.elapsed()
    }
}

/// How a run ended well.
#[derive(Debug)]
pub enum End {
    /// With all of its updates.
    Finished(Summary),
    /// A pause was requested; the job goes on from here or from the beginning.
    Paused {
        /// Of the newest checkpoint; 0 without one.
        step: u64,
    },
}

/// Trains to the end, or to a pause.
///
/// # Errors
/// Whatever stops it. If that is a request or a loss that is not finite, every point up to there is sent.
pub fn run(run: &Run, inbox: &Inbox, pipe: &mut EventPipe) -> Result<End, JobError> {
    let device = environment::device(&run.device)?;
    let memory = PeakMemory::begin(device);
    let threads = run.spec.resources.threads;
    tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    let steps = run.spec.train.total_steps();
    let started = |step| Event::Started { step, environment: environment(device, threads), steps };
    let mut job = match &run.resume_from {
        None => {
            pipe.send(&started(0))?;
            Job::prepare(&run.spec, device, &mut Fetching::new(pipe))?
        }
        Some(file) => {
            let resumed = Job::resume(&run.spec, device, file, &mut Fetching::new(pipe));
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
    let mut meter = Meter::new(pipe, checkpoints.newest(), steps);
    if training::train(&mut job, &mut meter, &inbox.requests(), &mut checkpoints)? == Reached::Pause {
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

impl<'a> Job<'a> {
    /// Data, network and optimizer as they are before the first update; `progress` hears of data that is fetched.
    ///
    /// # Errors
    /// If the data cannot be had or the model does not fit it, and libtorch's own.
    pub fn prepare(spec: &'a JobSpec, device: Device, progress: &mut dyn Progress) -> Result<Self, JobError> {
        Self::build(spec, device, 0, progress)
    }

    /// As they were when the checkpoint in `file` was written: built as ever, then overwritten.
    ///
    /// # Errors
    /// [`JobError::Checkpoint`], and those of [`prepare`](Self::prepare).
    pub fn resume(
        spec: &'a JobSpec,
        device: Device,
        file: &Path,
        progress: &mut dyn Progress,
    ) -> Result<Self, JobError> {
        let saved = Saved::read(file, spec.train.total_steps())?;
        let (step, trained_for) = (saved.step, saved.trained_for);
        let mut job = Self { resumed_at: Some(step), ..Self::build(spec, device, step, progress)? };
        saved.restore(job.state())?;
        job.network.trained().into_iter().try_for_each(|trained| trained.refresh())?;
        job.clock = Clock::after(trained_for);
        Ok(job)
    }

    /// Everything that the next update depends on and that spec and step do not give.
    pub fn state(&mut self) -> Parts<'_> {
        let (network, optimizer) = (self.network.state(), self.optimizer.state());
        network.into_iter().chain(optimizer).chain(self.average.state()).collect()
    }

    fn build(
        spec: &'a JobSpec,
        device: Device,
        updates: u64,
        progress: &mut dyn Progress,
    ) -> Result<Self, JobError> {
        let train_spec = &spec.train;
        let data = Data::prepare(train_spec, spec.seed, device, progress)?;
        let start = Start { method: &spec.method, seed: spec.seed, device, updates };
        let architecture = train_spec.architecture().map_err(JobError::Setup)?;
        let mut network = Network::new(&architecture, train_spec.precision, start)?;
        let (rule, clip_norm) = (&train_spec.optimizer, train_spec.clip_norm);
        let optimizer = Optimizer::new(rule, clip_norm, &spec.method, &mut network.trained())?;
        Ok(Self {
            spec,
            data,
            average: Average::new(train_spec.average_decay, &mut network)?,
            network,
            penalty: Penalty::of(&spec.method, spec.seed),
            optimizer,
            geometry: Geometry::new(&train_spec.energy),
            resumed_at: None,
            clock: Clock::after(Duration::ZERO),
        })
    }
}

/// Interval between progress messages during a download. The worker takes a long silence for a hang.
const PACE: Duration = Duration::from_secs(20);

/// Logs which files are being fetched, and their progress.
struct Fetching<'a> {
    pipe: &'a mut EventPipe,
    /// File and time of the last message.
    told: Option<(String, Instant)>,
}

impl<'a> Fetching<'a> {
    fn new(pipe: &'a mut EventPipe) -> Self {
        Self { pipe, told: None }
    }
}

impl Progress for Fetching<'_> {
    fn fetched(&mut self, file: &str, done: u64, total: u64) {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let message = match &self.told {
            Some((told, when)) if told == file && when.elapsed() < PACE => return,
            Some((told, _)) if told == file => {
                format!("fetching {file}: {:.1} of {:.1} MB", megabytes(done), megabytes(total))
            }
            _ => format!("fetching {file} ({:.1} MB)", megabytes(total)),
        };
        self.told = Some((file.to_owned(), Instant::now()));
        // A broken pipe causes an error at the next event, which is reported.
        let _ = self.pipe.log(message);
    }
}
