//! A job as the training loop works on it.

use std::time::Duration;

use optlab_data::Progress;
use optlab_spec::JobSpec;
use tch::Device;

use crate::average::Average;
use crate::clock::TrainingClock;
use crate::data::{Data, DataSource};
use crate::failure::JobError;
use crate::geometry::Geometry;
use crate::network::Network;
use crate::optimizer::Optimizer;
use crate::penalty::Penalty;
use crate::start::Start;
use crate::trained::Parts;

/// Data, network and everything that changes with an update.
pub struct Job<'a> {
    /// The spec, as resolved from the submission.
    pub spec: &'a JobSpec,
    /// Training, validation and test images.
    pub data: Data,
    /// The network that is trained.
    pub network: Network,
    /// Penalty that the arm adds to the loss.
    pub penalty: Option<Penalty>,
    /// The rule by which parameters are stepped.
    pub optimizer: Optimizer,
    /// Moving average of the weights, which is what evaluations measure.
    pub average: Average,
    /// Measures hyperspherical energy and orthogonality.
    pub geometry: Geometry,
    /// Completed updates of the checkpoint that the job resumed from. `None` for a job from its beginning, whose first
    /// measurement is still due.
    pub resumed_at: Option<u64>,
    /// Time that the training has taken.
    pub clock: TrainingClock,
}

impl<'a> Job<'a> {
    /// A job before its first update, with data from `source`. `progress` is notified of downloads.
    ///
    /// # Errors
    /// If the data is not available or the model does not fit it, and libtorch's own.
    pub fn prepare(
        spec: &'a JobSpec,
        device: Device,
        source: &mut DataSource,
        progress: &mut dyn Progress,
    ) -> Result<Self, JobError> {
        Self::at(0, spec, device, source, progress)
    }

    /// A job with the first weights and empty memory, of the shape that it has after `updates` updates. It becomes the
    /// job after those updates when its [`state`](Self::state) is overwritten.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    pub fn at(
        updates: u64,
        spec: &'a JobSpec,
        device: Device,
        source: &mut DataSource,
        progress: &mut dyn Progress,
    ) -> Result<Self, JobError> {
        let train_spec = &spec.train;
        let data = Data::prepare(spec, device, source, progress)?;
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
            clock: TrainingClock::after(Duration::ZERO),
        })
    }

    /// Everything on which the next update depends and that does not follow from spec and step.
    pub fn state(&mut self) -> Parts<'_> {
        let (network, optimizer) = (self.network.state(), self.optimizer.state());
        network.into_iter().chain(optimizer).chain(self.average.state()).collect()
    }
}
