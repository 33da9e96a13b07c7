//! One attempt at a job: from its spec to a prepared training, and to its summary.

use std::time::Instant;

use optlab_data::Progress;
use optlab_spec::JobSpec;
use optlab_spec::protocol::{Event, Run, Summary};
use tch::Device;

use crate::average::Average;
use crate::data::Data;
use crate::environment::{self, environment};
use crate::export::export;
use crate::failure::JobError;
use crate::geometry::Geometry;
use crate::inbox::Inbox;
use crate::meter::Meter;
use crate::network::Network;
use crate::optimizer::Optimizer;
use crate::penalty::Penalty;
use crate::pipe::EventPipe;
use crate::training;
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
}

/// Trains to the end.
///
/// # Errors
/// Whatever stops it. If that is a wish or a loss that is not finite, every point up to there is sent.
pub fn run(run: &Run, inbox: &Inbox, pipe: &mut EventPipe) -> Result<Summary, JobError> {
    let began = Instant::now();
    let device = environment::device(&run.device)?;
    let threads = run.spec.resources.threads;
    tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    let steps = run.spec.train.total_steps();
    pipe.send(&Event::Started { environment: environment(device, threads), steps })?;
    let mut job = Job::prepare(&run.spec, device, &mut Fetching { pipe, file: None })?;
    training::train(&mut job, &mut Meter::new(pipe, steps), inbox)?;
    if let Some(folder) = &run.artifact_dir {
        job.average.show(&mut job.network, |network| export(network, folder))??;
    }
    Ok(Summary { parameters_trained: job.optimizer.numbers(), seconds: began.elapsed().as_secs_f64() })
}

impl<'a> Job<'a> {
    /// Data, network and optimizer as they are before the first update; `progress` hears of data that is fetched.
    ///
    /// # Errors
    /// If the data cannot be had or the model does not fit it, and libtorch's own.
    pub fn prepare(spec: &'a JobSpec, device: Device, progress: &mut dyn Progress) -> Result<Self, JobError> {
        let train_spec = &spec.train;
        let data = Data::prepare(train_spec, spec.seed, device, progress)?;
        let start = Start { method: &spec.method, seed: spec.seed, device };
        let architecture = train_spec.architecture().map_err(JobError::Setup)?;
        let mut network = Network::new(&architecture, train_spec.precision, start)?;
        let (rule, clip_norm) = (&train_spec.optimizer, train_spec.clip_norm);
        let optimizer = Optimizer::new(rule, clip_norm, &spec.method, &network.trained());
        Ok(Self {
            spec,
            data,
            average: Average::new(train_spec.average_decay, &mut network)?,
            network,
            penalty: Penalty::of(&spec.method, spec.seed),
            optimizer,
            geometry: Geometry::new(&train_spec.energy),
        })
    }
}

/// Tells the job's log which files are being fetched.
struct Fetching<'a> {
    pipe: &'a mut EventPipe,
    file: Option<String>,
}

impl Progress for Fetching<'_> {
    fn fetched(&mut self, file: &str, _done: u64, total: u64) {
        if self.file.as_deref() != Some(file) {
            self.file = Some(file.to_owned());
            // A broken pipe shows again at the next event, which can say so.
            let _ = self.pipe.log(format_args!("fetching {file} ({:.1} MB)", total as f64 / 1e6));
        }
    }
}
