//! The data of a job: what it learns from, in which order and how changed, and what it is measured on.

mod batches;
mod images;

mod augmentation;
mod order;

mod synthetic;

use optlab_data::{Library, Normalisation, Progress, Samples, Split};
use optlab_spec::{DataSpec, TrainSpec};
use tch::Device;

use crate::failure::JobError;

pub use augmentation::Augmentation;
pub use batches::Batches;
pub use images::{Batch, Images};
pub use order::Order;

/// Everything that a job sees.
#[derive(Debug)]
pub struct Data {
    /// What updates learn from.
    pub batches: Batches,
    /// What is held out of the training set, if anything is.
    pub validation: Option<Images>,
    /// What accuracy is reported on.
    pub test: Images,
}

impl Data {
    /// Finds or draws the images and puts them on the device.
    ///
    /// # Errors
    /// If they cannot be had, and libtorch's own.
    pub fn prepare(
        spec: &TrainSpec,
        seed: u64,
        device: Device,
        progress: &mut dyn Progress,
    ) -> Result<Self, JobError> {
        let unknown = || JobError::Setup(format!("this runner knows no data set `{}`", spec.data.name));
        let shape = spec.data.task().ok_or_else(unknown)?.shape;
        let sizes = spec.data.sizes().ok_or_else(unknown)?;
        let (Split { train, test }, normalisation) = split(&spec.data, progress)?;
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
        Ok(Self { batches: Batches { images: train, order, augmentation }, validation, test: images(&test)? })
    }
}

fn split(spec: &DataSpec, progress: &mut dyn Progress) -> Result<(Split, Normalisation), JobError> {
    match (&spec.synthetic, spec.dataset()) {
        (None, Some(dataset)) => Ok((Library::from_env().load(dataset, progress)?, dataset.normalisation())),
        (Some(synthetic), _) => Ok((synthetic::draw(synthetic), synthetic::NORMALISATION)),
        (None, None) => Err(JobError::Setup(format!("this runner knows no data set `{}`", spec.name))),
    }
}
