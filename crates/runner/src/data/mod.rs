//! The data of a job: training set, order, augmentation, and the sets for evaluation.

mod source;
mod sets;

mod batches;
mod images;

mod augmentation;
mod order;

mod synthetic;

use optlab_data::Progress;
use optlab_spec::{DataSpec, JobSpec};
use tch::Device;

use crate::failure::JobError;

use self::sets::Sets;

pub use augmentation::Augmentation;
pub use batches::Batches;
pub use images::{Batch, Images};
pub use order::Order;
pub use source::DataSource;

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
    /// The data of the job from `source`, on the device. `progress` is notified of downloads.
    ///
    /// # Errors
    /// If they cannot be loaded, and libtorch's own.
    pub fn prepare(
        job: &JobSpec,
        device: Device,
        source: &mut DataSource,
        progress: &mut dyn Progress,
    ) -> Result<Self, JobError> {
        Self::of(job, source.sets(job, device, progress)?, device)
    }

    fn of(job: &JobSpec, sets: Sets, device: Device) -> Result<Self, JobError> {
        let (spec, seed) = (&job.train, job.seed);
        let Sets { train, validation, test } = sets;
        let shape = spec.data.task().ok_or_else(|| unknown(&spec.data))?.shape;
        let order = Order::new(seed, &train, spec.batch_size, device);
        let augmentation = Augmentation::new(&spec.data.augment, shape, seed, device)?;
        Ok(Self { batches: Batches { images: train, order, augmentation }, validation, test })
    }
}

fn unknown(data: &DataSpec) -> JobError {
    JobError::Setup(format!("this runner knows no data set `{}`", data.name))
}

#[cfg(test)]
mod tests {
    use optlab_spec::ExperimentSpec;
    use serde_json::{Value, json};
    use tch::Tensor;

    use super::*;

    /// The data of the jobs of two arms and two seeds: by seed, then by arm.
    fn prepared(data: &Value) -> Vec<Data> {
        let train = json!({ "epochs": 1, "data": data, "model": { "kind": "mlp", "hidden": [8] } });
        let arms = json!([
            { "name": "baseline", "method": { "kind": "baseline" } },
            { "name": "opt", "method": { "kind": "opt", "transform": "cayley" }, "train": { "batch_size": 16 } },
        ]);
        let experiment = json!({ "name": "x", "seeds": [4, 5], "train": train, "arms": arms });
        let jobs = ExperimentSpec::from_value(&experiment).unwrap().jobs();
        let digits = optlab_data::find("digits").unwrap();
        let sets = |job| Sets::of(job, digits.decode(&[]).unwrap(), digits.normalisation(), Device::Cpu);
        jobs.iter().map(|job| Data::of(job, sets(job).unwrap(), Device::Cpu).unwrap()).collect()
    }

    /// The pixels of all images, image after image.
    fn pixels(images: &Images) -> Vec<Vec<u8>> {
        let all = Tensor::arange(images.len(), (tch::Kind::Int64, Device::Cpu));
        let (pixels, _) = images.select(&all).unwrap();
        let pixels = Vec::<u8>::try_from(pixels.flatten(0, -1)).unwrap();
        pixels.chunks(64).map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn the_seed_decides_which_images_all_arms_learn_from() {
        let data = json!({ "name": "digits", "validation": 0.5, "train_samples": 144 });
        let (first, again) = (prepared(&data), prepared(&data));
        let train = |data: &Data| pixels(&data.batches.images);
        for (job, same) in first.iter().zip(&again) {
            assert_eq!(train(job).len(), 144);
            assert!(train(job) == train(same));
        }
        let [four, opt_four, five, opt_five] = &first.iter().map(train).collect::<Vec<_>>()[..] else {
            panic!("2 arms x 2 seeds")
        };
        assert!(four == opt_four && five == opt_five);
        let shared = four.iter().filter(|image| five.contains(image)).count();
        assert!((10..60).contains(&shared), "{shared} of 144 images are of both seeds; 29 are expected");
    }

    #[test]
    fn training_images_are_drawn_beside_the_validation_set_which_stays() {
        let with =
            |count: Value| prepared(&json!({ "name": "digits", "validation": 0.9, "train_samples": count }));
        let (all, few, same) = (&with(json!(null))[0], &with(json!(50))[0], &with(json!(144))[0]);
        let validation = |data: &Data| pixels(data.validation.as_ref().unwrap());
        assert_eq!(validation(few).len(), 1298);
        assert!(validation(few) == validation(all));
        assert!(pixels(few.test.as_ref().unwrap()) == pixels(all.test.as_ref().unwrap()));
        let rest = pixels(&all.batches.images);
        assert!(pixels(&few.batches.images).iter().all(|image| rest.contains(image)));
        assert!(pixels(&few.batches.images).iter().all(|image| !validation(all).contains(image)));
        assert!(pixels(&same.batches.images) == rest, "the number of all images changes nothing");
    }
}
