//! What a run learns from.

use optlab_data::Dataset;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::architecture::Task;
use crate::fields::{Fields, integer_item, shown};
use crate::problem::{Problems, alternatives, suggestion};

/// The name of data that is drawn at random.
const SYNTHETIC: &str = "synthetic";
/// As much synthetic data as fits any machine that trains.
const MOST_BYTES: u64 = 4_000_000_000;

/// The data of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSpec {
    /// A name that `optlab data list` shows, or `synthetic`.
    pub name: String,
    /// Its sizes, where it is synthetic.
    #[serde(flatten)]
    pub synthetic: Option<Synthetic>,
    /// Share of the training set that is held out: no update learns from it, and the series `validation/loss` and
    /// `validation/accuracy` are measured on it. Which images these are depends on the data set and the share alone.
    /// The test set stays what it is.
    pub validation: f64,
    /// What is done to each training image whenever an update learns from it.
    pub augment: Vec<Augment>,
}

/// Random images for benchmarks: the same for every seed. There is nothing to learn from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synthetic {
    /// Channels, height and width of an image.
    pub shape: [u64; 3],
    /// Number of classes.
    pub classes: u64,
    /// Images of the training set; the test set has a tenth as many.
    pub samples: u64,
}

/// A random change of an image that keeps its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Augment {
    /// Four pixels more on each side, mirrored so that the edge stands twice, then a cut of the old size out of that.
    PadCrop,
    /// As `PadCrop`, with black pixels: those of value 0.
    PadCropZero,
    /// Left and right change places, with probability 1/2.
    Flip,
}

/// How many images a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Those that updates learn from.
    pub train: u64,
    /// Those that are held out of the training set.
    pub validation: u64,
    /// Those that accuracy is reported on.
    pub test: u64,
}

const AUGMENTS: [(&str, Augment); 3] =
    [("pad-crop", Augment::PadCrop), ("pad-crop-zero", Augment::PadCropZero), ("flip", Augment::Flip)];

impl DataSpec {
    /// What is to be learned; `None` for a name that this version does not know.
    pub fn task(&self) -> Option<Task> {
        if let Some(Synthetic { shape, classes, .. }) = self.synthetic {
            return Some(Task { shape, classes });
        }
        let dataset = self.dataset()?;
        Some(Task { shape: dataset.shape().map(|size| size as u64), classes: dataset.classes() as u64 })
    }

    /// How many images there are; `None` for a name that this version does not know.
    pub fn sizes(&self) -> Option<Sizes> {
        let (samples, test) = match (&self.synthetic, self.dataset()) {
            (Some(synthetic), _) => (synthetic.samples, synthetic.test_samples()),
            (None, Some(dataset)) => (dataset.train_samples() as u64, dataset.test_samples() as u64),
            (None, None) => return None,
        };
        let validation = optlab_data::held_out(samples as usize, self.validation) as u64;
        Some(Sizes { train: samples - validation, validation, test })
    }

    /// The real data set, unless it is synthetic or not known.
    pub fn dataset(&self) -> Option<&'static dyn Dataset> {
        optlab_data::find(&self.name)
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        let name = fields.identifier("name");
        let synthetic = (name == SYNTHETIC).then(|| Synthetic::read(fields));
        let data = Self {
            name,
            synthetic,
            validation: fields.number("validation", Some(0.0), 0.0..=0.9),
            augment: read_augment(fields),
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
                let detail = format!("holds out none of {} images; 0 is right then", sizes.train);
                fields.wrong("validation", detail);
            }
            Some(_) => {}
        }
        data
    }
}

impl Synthetic {
    /// Images of the test set.
    pub fn test_samples(&self) -> u64 {
        self.samples / 10
    }

    fn read(fields: &mut Fields<'_>) -> Self {
        let side =
            |value: &_, pointer: &str, problems: &mut _| integer_item(value, pointer, problems, 1..=512);
        let synthetic = Self {
            shape: fields.list("shape", None, 3..=3, side).try_into().unwrap_or([1; 3]),
            classes: fields.integer("classes", None, 2..=256),
            samples: fields.integer("samples", None, 10..=10_000_000),
        };
        let bytes = synthetic.shape.iter().product::<u64>() * synthetic.samples;
        if bytes > MOST_BYTES {
            fields.wrong("samples", format!("make {bytes} bytes; at most {MOST_BYTES} are allowed"));
        }
        synthetic
    }
}

fn read_augment(fields: &mut Fields<'_>) -> Vec<Augment> {
    let words = fields.list("augment", Some(vec![]), 0..=AUGMENTS.len(), word);
    let words: Vec<Augment> = words.into_iter().flatten().collect();
    if (1..words.len()).any(|index| words[..index].contains(&words[index])) {
        fields.wrong("augment", "must not say the same twice");
    }
    if words.contains(&Augment::PadCrop) && words.contains(&Augment::PadCropZero) {
        fields.wrong("augment", "must not say both `pad-crop` and `pad-crop-zero`: an image is cut once");
    }
    words
}

fn word(value: &Value, pointer: &str, problems: &mut Problems) -> Option<Augment> {
    let words = || AUGMENTS.iter().map(|(word, _)| *word);
    let found = AUGMENTS.iter().find(|(word, _)| value == word).map(|(_, augment)| *augment);
    if found.is_none() {
        let hint = suggestion(value.as_str().unwrap_or_default(), words());
        problems.add(pointer, format!("must be {}, is {}{hint}", alternatives(words()), shown(value)));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
    fn held_out_images_are_no_training_images() {
        let sizes = |value| read(value).unwrap().sizes().unwrap();
        assert_eq!(sizes(json!({ "name": "digits" })), Sizes { train: 1442, validation: 0, test: 355 });
        let digits = json!({ "name": "digits", "validation": 0.1 });
        assert_eq!(sizes(digits), Sizes { train: 1298, validation: 144, test: 355 });
        let drawn = synthetic(json!({ "validation": 0.25 }));
        assert_eq!(sizes(drawn), Sizes { train: 1920, validation: 640, test: 256 });
    }

    #[test]
    fn lengths_follow_what_is_left_of_the_training_set() {
        let spec = |batch_size: u64| {
            let train = json!({
                "epochs": 3,
                "batch_size": batch_size,
                "data": { "name": "digits", "validation": 0.5 },
                "model": { "kind": "mlp", "hidden": [4] },
            });
            let arms = json!([{ "name": "baseline", "method": { "kind": "baseline" } }]);
            ExperimentSpec::from_value(&json!({ "name": "x", "train": train, "arms": arms }))
        };
        let train = spec(100).unwrap().train;
        assert_eq!((train.steps_per_epoch(), train.total_steps()), (7, 21));
        assert!(spec(721).is_ok());
        assert!(
            spec(722)
                .unwrap_err()
                .to_string()
                .contains("/train/batch_size: must be a whole number from 1 to 721")
        );
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
            json!({ "name": "cifar-100", "augment": ["pad-crop", "flip"], "validation": 0.1 }),
            synthetic(json!({ "augment": ["pad-crop-zero"] })),
        ] {
            let data = read(value).unwrap();
            let resolved = serde_json::to_value(&data).unwrap();
            assert_eq!(read(resolved.clone()).unwrap(), data, "{resolved}");
            assert_eq!(serde_json::from_value::<DataSpec>(resolved).unwrap(), data);
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_path() {
        for (value, says) in [
            (
                json!({ "name": "digits", "augment": ["flip", "filp"] }),
                "/augment/1: must be `pad-crop`, `pad-",
            ),
            (json!({ "name": "digits", "augment": ["filp"] }), "did you mean `flip`?"),
            (
                json!({ "name": "digits", "augment": ["flip", "flip"] }),
                "/augment: must not say the same twice",
            ),
            (json!({ "name": "digits", "augment": ["pad-crop", "pad-crop-zero"] }), "an image is cut once"),
            (json!({ "name": "digits", "augment": "flip" }), "/augment: must be a list of 0 to 3 entries"),
            (json!({ "name": "digits", "validation": 0.0001 }), "/validation: holds out none of 1442 images"),
            (json!({ "name": "digits", "validation": 1 }), "/validation: must be a number from 0 to 0.9"),
            (json!({ "name": "digits", "samples": 10 }), "/samples: unknown field"),
            (json!({ "name": "synthetc" }), "did you mean `synthetic`?"),
            (synthetic(json!({ "shape": [3, 32] })), "/shape: must be a list of 3 entries, has 2"),
            (synthetic(json!({ "classes": 1000 })), "/classes: must be a whole number from 2 to 256"),
            (synthetic(json!({ "shape": [3, 32, 513] })), "/shape/2: must be a whole number from 1 to 512"),
            (
                synthetic(json!({ "shape": [3, 512, 512], "samples": 6000 })),
                "/samples: make 4718592000 bytes; at most 4000000000 are allowed",
            ),
        ] {
            let problems = read(value).unwrap_err();
            assert!(problems.len() == 1 && problems[0].contains(says), "{problems:?} for {says}");
        }
    }
}
