//! The data of a job: training set, order, augmentation, and the sets for evaluation.

mod batches;
mod images;

mod augmentation;
mod order;

mod synthetic;

use optlab_data::{Library, Normalisation, Progress, Samples, Split};
use optlab_domain::Phase;
use optlab_spec::{DataSpec, JobSpec};
use tch::Device;

use crate::failure::JobError;

pub use augmentation::Augmentation;
pub use batches::Batches;
pub use images::{Batch, Images};
pub use order::Order;

/// All data of a job.
#[derive(Debug)]
pub struct Data {
    /// The training set.
    pub batches: Batches,
    /// The part of the training set that is held out, if any.
    pub validation: Option<Images>,
    /// The test set; `None` for a trial, which must not see it.
    pub test: Option<Images>,
}

impl Data {
    /// Loads or draws the images and copies them to the device.
    ///
    /// # Errors
    /// If they cannot be loaded, and libtorch's own.
    pub fn prepare(
        job: &JobSpec,
        device: Device,
        library: &Library,
        progress: &mut dyn Progress,
    ) -> Result<Self, JobError> {
        let (spec, seed) = (&job.train, job.seed);
        let unknown = || JobError::Setup(format!("this runner knows no data set `{}`", spec.data.name));
        let shape = spec.data.task().ok_or_else(unknown)?.shape;
        let sizes = spec.data.sizes().ok_or_else(unknown)?;
        let (Split { train, test }, normalisation) = split(&spec.data, library, progress)?;
        let images = |samples: &Samples| Images::new(shape, normalisation, samples, device);
        let (train, validation) = match sizes.validation {
            0 => (train, None),
            count => {
                let (train, held_out) = train.hold_out(count as usize);
                (train, Some(images(&held_out)?))
            }
        };
        let train = images(&train)?;
        let order = Order::new(seed, &train, spec.batch_size, device);
        let augmentation = Augmentation::new(&spec.data.augment, shape, seed, device)?;
        let test = match job.phase() {
            Phase::Trial => None,
            Phase::Confirm => Some(images(&test)?),
        };
        Ok(Self { batches: Batches { images: train, order, augmentation }, validation, test })
    }
}

fn split(
    spec: &DataSpec,
    library: &Library,
    progress: &mut dyn Progress,
) -> Result<(Split, Normalisation), JobError> {
    match (&spec.synthetic, spec.dataset()) {
        (None, Some(dataset)) => Ok((library.load(dataset, progress)?, dataset.normalisation())),
        (Some(synthetic), _) => Ok((synthetic::draw(synthetic), synthetic::NORMALISATION)),
        (None, None) => Err(JobError::Setup(format!("this runner knows no data set `{}`", spec.name))),
    }
}
