//! The images of a job, on its device.

use optlab_data::{Normalisation, Samples, Split};
use optlab_domain::Phase;
use optlab_spec::JobSpec;
use tch::Device;

use super::{Images, unknown};
use crate::failure::JobError;
use crate::random::{self, Purpose};

/// Training, validation and test images. Nothing changes them, so jobs with the same data can share them.
#[derive(Debug)]
pub(super) struct Sets {
    pub(super) train: Images,
    pub(super) validation: Option<Images>,
    /// `None` if they were made for a trial, which must not see them.
    pub(super) test: Option<Images>,
}

impl Sets {
    /// Divides the images among the sets of the job, and copies them to the device.
    pub(super) fn of(
        job: &JobSpec,
        Split { train, test }: Split,
        normalisation: Normalisation,
        device: Device,
    ) -> Result<Self, JobError> {
        let data = &job.train.data;
        let shape = data.task().ok_or_else(|| unknown(data))?.shape;
        let sizes = data.sizes().ok_or_else(|| unknown(data))?;
        let images = |samples: &Samples| Images::new(shape, normalisation, samples, device);
        let (train, validation) = match sizes.validation {
            0 => (train, None),
            count => {
                let (train, held_out) = train.hold_out(count as usize);
                (train, Some(images(&held_out)?))
            }
        };
        let train = match data.train_samples {
            None => images(&train)?,
            Some(count) => images(&draw(train, count, job.seed))?,
        };
        let test = match job.phase() {
            Phase::Trial => None,
            Phase::Confirm => Some(images(&test)?),
        };
        Ok(Self { train, validation, test })
    }

    /// The same images, without those that the job must not see.
    pub(super) fn for_job(&self, job: &JobSpec) -> Self {
        let Self { train, validation, test } = self;
        let test = test.as_ref().filter(|_| job.phase() == Phase::Confirm);
        Self {
            train: train.shared(),
            validation: validation.as_ref().map(Images::shared),
            test: test.map(Images::shared),
        }
    }
}

/// The images that the job of this seed learns from, whatever its arm.
fn draw(train: Samples, count: u64, seed: u64) -> Samples {
    let order = random::permutation(random::stream(seed, Purpose::TrainSamples), train.labels.len() as u64);
    train.draw(count as usize, order.into_iter().map(|index| index as usize))
}
