//! Whether the jobs of two arms with equal seeds are pairs.
//!
//! A pair has one task and one set of training images, which the seed puts into the same order in both jobs. Everything
//! else may differ, because that is what a comparison is about: the method, the network, the batch size, the
//! augmentation, the length of the training. The rule is the same within an experiment and between experiments.

use std::fmt;

use optlab_domain::{HeldOut, Metric};

use crate::data::{DataSpec, Synthetic};
use crate::energy::EnergySpec;
use crate::train::TrainSpec;

/// Why the figures of two arms cannot be compared in pairs of equal seeds. Each has the value of the arm and of the
/// other one.
#[derive(Clone, Debug, PartialEq)]
pub enum Mismatch {
    /// The data sets differ, and the test sets with them.
    Data(Box<[DataSpec; 2]>),
    /// The metric is measured on the held-out images, and these differ.
    ValidationSet([f64; 2]),
    /// The metric is an energy, and the energies are defined differently.
    Energy([EnergySpec; 2]),
    /// The training images differ, and so does the order into which a seed puts them.
    TrainingImages([f64; 2]),
    /// The numbers of training images differ, and so does the order into which a seed puts them.
    TrainSamples([u64; 2]),
}

/// The reason why figures of `metric` of `arm` and `other` with equal seeds are not pairs; `None` if they are.
pub fn mismatch(arm: &TrainSpec, other: &TrainSpec, metric: Metric) -> Option<Mismatch> {
    let both = [arm, other];
    let data = both.map(|train| (&train.data.name, &train.data.synthetic));
    if data[0] != data[1] {
        return Some(Mismatch::Data(Box::new(both.map(|train| train.data.clone()))));
    }
    let energies = both.map(|train| EnergySpec { every_steps: 0, ..train.energy });
    if metric == Metric::Energy && energies[0] != energies[1] {
        return Some(Mismatch::Energy(both.map(|train| train.energy)));
    }
    let shares = both.map(|train| train.data.validation);
    let is_of_validation = metric.evaluated().is_some_and(|evaluated| evaluated.set == HeldOut::Validation);
    if shares[0] != shares[1] {
        let of = if is_of_validation { Mismatch::ValidationSet } else { Mismatch::TrainingImages };
        return Some(of(shares));
    }
    let numbers = both.map(|train| train.data.sizes().map_or(0, |sizes| sizes.train));
    (numbers[0] != numbers[1]).then_some(Mismatch::TrainSamples(numbers))
}

/// A clause, without a full stop.
impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(data) => {
                let [arm, other] = data.each_ref().map(described);
                write!(f, "the data set is {arm} and not {other}, so the figures are not of the same task")
            }
            Self::ValidationSet([arm, other]) => {
                write!(f, "data.validation is {arm} and not {other}, so the validation sets are not the same")
            }
            Self::Energy(energies) => {
                let [arm, other] = energies.map(|EnergySpec { power, half_space, .. }| {
                    format!("power {power}{}", if half_space { " in half-space" } else { "" })
                });
                write!(f, "the energy has {arm} and not {other}, so the figures are not of the same measure")
            }
            Self::TrainingImages([arm, other]) => write!(
                f,
                "data.validation is {arm} and not {other}, so equal seeds are not paired: they train on other images in \
                 another order"
            ),
            Self::TrainSamples([arm, other]) => write!(
                f,
                "data.train_samples is {arm} and not {other}, so equal seeds are not paired: they train on other images \
                 in another order"
            ),
        }
    }
}

fn described(data: &DataSpec) -> String {
    match data.synthetic {
        None => data.name.clone(),
        Some(Synthetic { shape: [channels, height, width], classes, samples }) => {
            format!("{} ({samples} images of {channels} x {height} x {width}, {classes} classes)", data.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fields::Fields;

    fn train(changes: Value) -> TrainSpec {
        let base =
            json!({ "epochs": 1, "data": { "name": "digits" }, "model": { "kind": "mlp", "hidden": [8] } });
        Fields::read(&crate::merge(base, &changes), TrainSpec::read)
            .unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn says(arm: Value, other: Value, metric: Metric) -> String {
        mismatch(&train(arm), &train(other), metric).map_or_else(String::new, |reason| reason.to_string())
    }

    #[test]
    fn equal_seeds_are_pairs_whatever_a_comparison_is_about() {
        for change in [
            json!({ "epochs": 9 }),
            json!({ "batch_size": 16 }),
            json!({ "data": { "augment": ["pad-crop"] } }),
            json!({ "model": { "hidden": [32, 32] } }),
            json!({ "optimizer": { "learning_rate": 0.5 } }),
            json!({ "energy": { "power": 2, "every_steps": 3 } }),
        ] {
            assert_eq!(says(change.clone(), json!({}), Metric::TestError), "", "{change}");
        }
        assert_eq!(says(json!({ "energy": { "every_steps": 3 } }), json!({}), Metric::Energy), "");
    }

    #[test]
    fn another_task_and_other_training_images_are_no_pairs() {
        let mnist = json!({ "data": { "name": "mnist" } });
        for metric in [Metric::TestError, Metric::Energy, Metric::Seconds] {
            assert_eq!(
                says(mnist.clone(), json!({}), metric),
                "the data set is mnist and not digits, so the figures are not of the same task"
            );
        }
        let synthetic = |samples: u64| json!({ "data": { "name": "synthetic", "shape": [1, 8, 8], "classes": 2, "samples": samples } });
        assert_eq!(
            says(synthetic(100), synthetic(200), Metric::TestError),
            "the data set is synthetic (100 images of 1 x 8 x 8, 2 classes) and not synthetic (200 images of 1 x 8 x 8, \
             2 classes), so the figures are not of the same task"
        );
        let held_out = json!({ "data": { "validation": 0.1 } });
        assert_eq!(
            says(held_out.clone(), json!({}), Metric::TestError),
            "data.validation is 0.1 and not 0, so equal seeds are not paired: they train on other images in another \
             order"
        );
        assert_eq!(
            says(held_out, json!({ "data": { "validation": 0.2 } }), Metric::BestValidationError),
            "data.validation is 0.1 and not 0.2, so the validation sets are not the same"
        );
        let few = |count: u64| json!({ "data": { "train_samples": count } });
        for metric in [Metric::TestError, Metric::BestValidationError] {
            assert_eq!(
                says(few(144), json!({}), metric),
                "data.train_samples is 144 and not 1442, so equal seeds are not paired: they train on other images in \
                 another order"
            );
        }
        assert_eq!(says(few(1442), json!({}), Metric::TestError), "", "they train on the same images");
        assert_eq!(
            says(json!({ "energy": { "power": 2, "half_space": true } }), json!({}), Metric::Energy),
            "the energy has power 2 in half-space and not power 1, so the figures are not of the same measure"
        );
    }
}
