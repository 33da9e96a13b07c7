//! The data of a run.

mod synthetic;

mod augment;

use optlab_data::Dataset;
use serde::{Deserialize, Serialize};

pub use augment::Augment;
pub use synthetic::Synthetic;

use crate::architecture::Task;
use crate::fields::Fields;
use crate::problem::{alternatives, suggestion};
use synthetic::MOST_SAMPLES;

/// The name of synthetic data.
const SYNTHETIC: &str = "synthetic";

/// The data of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DataSpec {
    /// A name that `optlab data list` shows, or `synthetic`.
    pub name: String,
    /// Sizes of synthetic data.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::optional::<Synthetic>))]
    pub synthetic: Option<Synthetic>,
    /// Share of the training set that is held out: no update learns from it, and the series `validation/loss` and
    /// `validation/accuracy` are measured on it. Which images these are depends on the data set and the share alone.
    /// The test set is unaffected.
    pub validation: f64,
    /// Number of training images; null for all that are not held out, also if their number was given. Each class keeps
    /// its share of them, and at least one image. The seed of the run decides which images these are, so the arms of a
    /// seed share them.
    pub train_samples: Option<u64>,
    /// Random changes of each training image at each use.
    pub augment: Vec<Augment>,
}

/// Numbers of images of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Images that updates learn from.
    pub train: u64,
    /// Images that are held out of the training set.
    pub validation: u64,
    /// Images of the test set.
    pub test: u64,
}

impl DataSpec {
    /// The inputs and classes; `None` for a name that this version does not know.
    pub fn task(&self) -> Option<Task> {
        if let Some(Synthetic { shape, classes, .. }) = self.synthetic {
            return Some(Task { shape, classes });
        }
        let dataset = self.dataset()?;
        Some(Task { shape: dataset.shape().map(|size| size as u64), classes: dataset.classes() as u64 })
    }

    /// Numbers of images; `None` for a name that this version does not know.
    pub fn sizes(&self) -> Option<Sizes> {
        let (samples, test) = match (&self.synthetic, self.dataset()) {
            (Some(synthetic), _) => (synthetic.samples, synthetic.test_samples()),
            (None, Some(dataset)) => (dataset.train_samples() as u64, dataset.test_samples() as u64),
            (None, None) => return None,
        };
        let validation = optlab_data::held_out(samples as usize, self.validation) as u64;
        let remaining = samples - validation;
        let train = self.train_samples.map_or(remaining, |count| count.min(remaining));
        Some(Sizes { train, validation, test })
    }

    /// The real data set, unless it is synthetic or not known.
    pub fn dataset(&self) -> Option<&'static dyn Dataset> {
        optlab_data::find(&self.name)
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        let name = fields.identifier("name");
        let synthetic = (name == SYNTHETIC).then(|| Synthetic::read(fields));
        let mut data = Self {
            name,
            synthetic,
            validation: fields.number("validation", Some(0.0), 0.0..=0.9),
            train_samples: None,
            augment: Augment::read_all(fields),
        };
        match data.sizes() {
            None if data.name.is_empty() => {}
            None => {
                let names = || optlab_data::all().iter().map(|data| data.name()).chain([SYNTHETIC]);
                let hint = suggestion(&data.name, names());
                let detail =
                    format!("unknown data set `{}`; there is {}{hint}", data.name, alternatives(names()));
                fields.wrong("name", detail);
            }
            Some(sizes) if data.validation > 0.0 && sizes.validation == 0 => {
                let detail = format!("holds out none of {} images; use 0 for no validation", sizes.train);
                fields.wrong("validation", detail);
            }
            Some(_) => {}
        }
        data.train_samples = data.read_train_samples(fields);
        data
    }

    /// Reads the number of training images; `self` has the other fields.
    fn read_train_samples(&self, fields: &mut Fields<'_>) -> Option<u64> {
        const NAME: &str = "train_samples";
        if !fields.has(NAME) {
            return None;
        }
        let mistakes = fields.mistakes();
        let count = fields.integer(NAME, None, 1..=MOST_SAMPLES);
        let (Some(sizes), Some(Task { classes, .. })) = (self.sizes(), self.task()) else {
            return Some(count);
        };
        let Sizes { train, validation, .. } = sizes;
        if fields.mistakes() == mistakes {
            if count > train {
                let held_out = if validation > 0 { " that are not held out for validation" } else { "" };
                fields.wrong(
                    NAME,
                    format!("must be at most {train}, the training images{held_out}, is {count}"),
                );
            } else if count < classes {
                fields
                    .wrong(NAME, format!("must be at least {classes}, one image of each class, is {count}"));
            }
        }
        // With all of them, the spec is the one without a number.
        (count != train).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::ExperimentSpec;

    fn read(value: Value) -> Result<DataSpec, Vec<String>> {
        Fields::read(&value, DataSpec::read)
            .map_err(|problems| problems.list.iter().map(ToString::to_string).collect())
    }

    fn synthetic(changes: Value) -> Value {
        let base = json!({ "name": "synthetic", "shape": [3, 32, 32], "classes": 100, "samples": 2560 });
        crate::merge(base, &changes)
    }

    #[test]
    fn held_out_images_are_not_training_images() {
        let sizes = |value| read(value).unwrap().sizes().unwrap();
        assert_eq!(sizes(json!({ "name": "digits" })), Sizes { train: 1442, validation: 0, test: 355 });
        let digits = json!({ "name": "digits", "validation": 0.1 });
        assert_eq!(sizes(digits), Sizes { train: 1298, validation: 144, test: 355 });
        let drawn = synthetic(json!({ "validation": 0.25 }));
        assert_eq!(sizes(drawn), Sizes { train: 1920, validation: 640, test: 256 });
    }

    #[test]
    fn training_images_are_counted_without_the_held_out_ones() {
        let sizes = |validation: f64, count: u64| {
            let data = json!({ "name": "digits", "validation": validation, "train_samples": count });
            read(data).map(|data| data.sizes().unwrap())
        };
        assert_eq!(sizes(0.0, 144), Ok(Sizes { train: 144, validation: 0, test: 355 }));
        assert_eq!(sizes(0.9, 144), Ok(Sizes { train: 144, validation: 1298, test: 355 }));
        assert_eq!(sizes(0.0, 1442), Ok(Sizes { train: 1442, validation: 0, test: 355 }));
        let all = read(json!({ "name": "digits", "train_samples": 1442 })).unwrap();
        assert_eq!(all, read(json!({ "name": "digits" })).unwrap(), "a number that leaves out no image");
        for (validation, count, says) in [
            (0.0, 1443, "must be at most 1442, the training images, is 1443"),
            (
                0.9,
                145,
                "must be at most 144, the training images that are not held out for validation, is 145",
            ),
            (0.0, 9, "must be at least 10, one image of each class, is 9"),
        ] {
            assert_eq!(sizes(validation, count), Err(vec![format!("/train_samples: {says}")]));
        }
    }

    #[test]
    fn lengths_follow_the_remaining_training_set() {
        let spec = |batch_size: u64, data: Value| {
            let train = json!({
                "epochs": 3,
                "batch_size": batch_size,
                "data": crate::merge(json!({ "name": "digits" }), &data),
                "model": { "kind": "mlp", "hidden": [4] },
            });
            let arms = json!([{ "name": "baseline", "method": { "kind": "baseline" } }]);
            ExperimentSpec::from_value(&json!({ "name": "x", "train": train, "arms": arms }))
        };
        let half = json!({ "validation": 0.5 });
        let train = spec(100, half.clone()).unwrap().train;
        assert_eq!((train.steps_per_epoch(), train.total_steps()), (7, 21));
        let train = spec(16, json!({ "train_samples": 144 })).unwrap().train;
        assert_eq!((train.steps_per_epoch(), train.total_steps()), (9, 27));
        for (data, most) in [(half, 721), (json!({ "train_samples": 144 }), 144)] {
            assert!(spec(most, data.clone()).is_ok());
            let problem = spec(most + 1, data).unwrap_err().to_string();
            let right = format!("/train/batch_size: must be a whole number from 1 to {most}");
            assert!(problem.contains(&right), "{problem}");
        }
    }

    #[test]
    fn synthetic_data_is_a_task_of_its_own() {
        let data = read(synthetic(json!({}))).unwrap();
        assert_eq!(data.task(), Some(Task { shape: [3, 32, 32], classes: 100 }));
        assert!(optlab_data::find(SYNTHETIC).is_none(), "the name is taken");
    }

    #[test]
    fn a_resolved_table_is_read_as_it_was_written() {
        for value in [
            json!({ "name": "cifar-100", "augment": ["pad-crop", "flip"], "validation": 0.1, "train_samples": 500 }),
            synthetic(json!({ "augment": ["pad-crop-zero"] })),
        ] {
            let data = read(value).unwrap();
            let resolved = serde_json::to_value(&data).unwrap();
            assert_eq!(read(resolved.clone()).unwrap(), data, "{resolved}");
            assert_eq!(serde_json::from_value::<DataSpec>(resolved).unwrap(), data);
        }
    }

    #[test]
    fn invalid_data_is_rejected_with_its_path() {
        for (value, says) in [
            (json!({ "name": "digits", "validation": 0.0001 }), "/validation: holds out none of 1442 images"),
            (json!({ "name": "digits", "validation": 1 }), "/validation: must be a number from 0 to 0.9"),
            (
                json!({ "name": "digits", "train_samples": 0 }),
                "/train_samples: must be a whole number from 1 to",
            ),
            (json!({ "name": "digits", "samples": 10 }), "/samples: unknown field"),
            (json!({ "name": "synthetc" }), "did you mean `synthetic`?"),
        ] {
            let problems = read(value).unwrap_err();
            assert!(problems.len() == 1 && problems[0].contains(says), "{problems:?} for {says}");
        }
    }
}
