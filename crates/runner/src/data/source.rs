//! Where jobs get their images from: the files of this machine, or the job before.

use optlab_data::{Library, Normalisation, Progress, Split};
use optlab_domain::Phase;
use optlab_spec::{DataSpec, JobSpec};
use tch::Device;

use super::sets::Sets;
use super::{synthetic, unknown};
use crate::failure::JobError;

/// Loads images, and keeps those of the last job on its device for a job with the same data.
#[derive(Debug)]
pub struct DataSource {
    library: Library,
    last: Option<(Key, Sets)>,
}

/// Everything that decides the images of a job, except whether it sees the test set.
#[derive(Debug, PartialEq)]
struct Key {
    data: DataSpec,
    /// Of the job, if it learns from a part of the images that the seed draws.
    seed: Option<u64>,
    device: Device,
}

impl Key {
    fn of(job: &JobSpec, device: Device) -> Self {
        // Augmentation changes batches, not images.
        let data = DataSpec { augment: Vec::new(), ..job.train.data.clone() };
        Self { seed: data.train_samples.map(|_| job.seed), data, device }
    }
}

impl DataSource {
    /// A source without images, which loads them from `library`.
    pub fn new(library: Library) -> Self {
        Self { library, last: None }
    }

    /// Gives the memory of the images back, unless the job has the same ones.
    pub fn forget_others(&mut self, job: &JobSpec, device: Device) {
        let key = Key::of(job, device);
        let fits =
            |(last, sets): &(Key, Sets)| *last == key && (sets.test.is_some() || job.phase() == Phase::Trial);
        self.last.take_if(|last| !fits(last));
    }

    /// The images of the job: those of the last one if its data are the same, else new ones, once the memory of the last
    /// ones is free. `progress` is notified of downloads.
    pub(super) fn sets(
        &mut self,
        job: &JobSpec,
        device: Device,
        progress: &mut dyn Progress,
    ) -> Result<Sets, JobError> {
        self.forget_others(job, device);
        let (_, sets) = match &mut self.last {
            Some(last) => last,
            none => {
                let (split, normalisation) = split(&job.train.data, &self.library, progress)?;
                none.insert((Key::of(job, device), Sets::of(job, split, normalisation, device)?))
            }
        };
        Ok(sets.for_job(job))
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
        (None, None) => Err(unknown(spec)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use optlab_data::Silent;
    use optlab_spec::ExperimentSpec;
    use serde_json::{Value, json};

    use super::*;
    use crate::data::{Data, Images};

    /// A source of data that need no files.
    fn source() -> DataSource {
        let cache = PathBuf::new();
        DataSource::new(Library { given: None, cache, mirror: None, network: Default::default() })
    }

    /// A job with this data.
    fn job(seed: u64, data: &Value) -> JobSpec {
        let train = json!({ "epochs": 1, "data": data, "model": { "kind": "mlp", "hidden": [8] } });
        let arms = json!([{ "name": "baseline", "method": { "kind": "baseline" } }]);
        let experiment = json!({ "name": "x", "seeds": [seed], "train": train, "arms": arms });
        ExperimentSpec::from_value(&experiment).unwrap().jobs().remove(0)
    }

    /// The addresses of the bytes of the training and the test images.
    fn places(source: &mut DataSource, job: &JobSpec) -> (usize, Option<usize>) {
        let data = Data::prepare(job, Device::Cpu, source, &mut Silent).unwrap();
        (data.batches.images.address(), data.test.as_ref().map(Images::address))
    }

    #[test]
    fn a_job_with_the_same_data_loads_nothing() {
        let mut source = source();
        let first = places(&mut source, &job(1, &json!({ "name": "digits" })));
        let other_seed_and_augmentation = job(2, &json!({ "name": "digits", "augment": ["flip"] }));
        assert_eq!(places(&mut source, &other_seed_and_augmentation), first);
    }

    #[test]
    fn other_data_replace_those_of_the_last_job() {
        let mut source = source();
        let part = json!({ "name": "digits", "validation": 0.5, "train_samples": 100 });
        let size = |source: &DataSource| source.last.as_ref().map(|(key, sets)| (key.seed, sets.train.len()));
        for (seed, data, expected) in [
            (1, json!({ "name": "digits" }), (None, 1442)),
            (1, json!({ "name": "digits", "validation": 0.5 }), (None, 721)),
            (1, part.clone(), (Some(1), 100)),
            (2, part, (Some(2), 100)),
            (
                2,
                json!({ "name": "synthetic", "shape": [1, 2, 2], "classes": 2, "samples": 1000 }),
                (None, 1000),
            ),
        ] {
            places(&mut source, &job(seed, &data));
            assert_eq!(size(&source), Some(expected), "{data}");
        }
        // The memory is free before the load, even if that fails.
        let mut unknown = job(1, &json!({ "name": "digits" }));
        unknown.train.data.name = "unheard-of".to_owned();
        assert!(source.sets(&unknown, Device::Cpu, &mut Silent).is_err());
        assert_eq!(size(&source), None);
    }

    #[test]
    fn only_the_same_data_are_kept_for_the_next_job() {
        let mut source = source();
        let digits = job(1, &json!({ "name": "digits" }));
        places(&mut source, &digits);
        source.forget_others(&digits, Device::Cpu);
        assert!(source.last.is_some());
        source.forget_others(&job(1, &json!({ "name": "digits", "validation": 0.5 })), Device::Cpu);
        assert!(source.last.is_none());
    }

    #[test]
    fn a_trial_gets_no_test_images_and_leaves_none_to_others() {
        let mut source = source();
        let confirming = job(1, &json!({ "name": "digits", "validation": 0.5 }));
        let trial = JobSpec { trial: Some(0), ..confirming.clone() };
        let (_, test) = places(&mut source, &trial);
        assert!(test.is_none() && source.last.as_ref().is_some_and(|(_, sets)| sets.test.is_none()));
        let (_, test) = places(&mut source, &confirming);
        assert!(test.is_some(), "it loads what the trial left out");
        let again = places(&mut source, &trial);
        assert_eq!(again.1, None);
        assert_eq!(places(&mut source, &confirming), (again.0, test), "the trial has used the same images");
    }
}
