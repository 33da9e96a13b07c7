//! The training of a run, without its method: data, network, optimizer and measurements.

use std::ops::RangeInclusive;

use optlab_domain::series::{self, LayerFigure};
use serde::{Deserialize, Serialize};

use crate::architecture::{Architecture, Layer};
use crate::data::DataSpec;
use crate::energy::{EnergySpec, LeastEnergy};
use crate::fields::Fields;
use crate::models::ModelSpec;
use crate::optimizer::OptimizerSpec;
use crate::precision::Precision;
use crate::problem::shown;
use crate::schedule::ScheduleSpec;

/// Maximum length of a run, in updates.
pub(crate) const MOST_STEPS: u64 = 100_000_000;

/// Everything of a run except the arm's method and the seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrainSpec {
    /// Passes over the training set; `None` if `steps` is given.
    pub epochs: Option<u64>,
    /// Optimizer updates; `None` if `epochs` is given.
    pub steps: Option<u64>,
    /// Samples per update. Samples that do not fill the last batch of an epoch are left to the next shuffle.
    pub batch_size: u64,
    /// Share of the target probability spread over all classes (Szegedy et al., CVPR 2016).
    pub label_smoothing: f64,
    /// Updates between two points of the training series.
    pub log_every_steps: u64,
    /// Interval between evaluations of the test set, and of the validation set if there is one. Step 0 and the end are
    /// always evaluated.
    pub evaluate_every: EvaluateEvery,
    /// The data.
    pub data: DataSpec,
    /// The network.
    pub model: ModelSpec,
    /// The optimizer.
    pub optimizer: OptimizerSpec,
    /// The schedule of the learning rate.
    pub schedule: ScheduleSpec,
    /// Maximum norm of the gradient over all trained tensors together; `None` for no limit. A rotated weight counts
    /// with dL/dW, not with the gradient of its raw parameter, so that the norm means the same in every arm. The
    /// penalty of relaxed OPT, which acts on the raw parameter, is added afterwards.
    pub clip_norm: Option<f64>,
    /// Decay of an exponential moving average of the weights, which the test and validation series then measure and the
    /// run saves; `None` for the weights themselves. Energy and orthogonality are always those of the trained weights,
    /// because the average of rotated neurons is not a rotation of them.
    pub average_decay: Option<f64>,
    /// The arithmetic of the network.
    pub precision: Precision,
    /// The measure of hyperspherical energy.
    pub energy: EnergySpec,
}

/// The interval between two evaluations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum EvaluateEvery {
    /// A number of updates.
    Steps(u64),
    /// A pass over the training set.
    Epoch(EpochWord),
}

/// The word `"epoch"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EpochWord {
    /// `"epoch"`.
    #[serde(rename = "epoch")]
    Epoch,
}

impl TrainSpec {
    /// Updates of the whole run.
    pub fn total_steps(&self) -> u64 {
        self.steps.unwrap_or_else(|| self.epochs.unwrap_or(0) * self.steps_per_epoch())
    }

    /// Updates of one pass over the training set without its held-out part, at least 1.
    pub fn steps_per_epoch(&self) -> u64 {
        let samples = self.data.sizes().map_or(0, |sizes| sizes.train);
        (samples / self.batch_size).max(1)
    }

    /// The layers of the model for the images and classes of the data.
    ///
    /// # Errors
    /// The reason why there are none, as a sentence; a validated spec has layers.
    pub fn architecture(&self) -> Result<Architecture, String> {
        let task = self.data.task().ok_or_else(|| format!("there is no data set `{}`", self.data.name))?;
        self.model.architecture(&task).map_err(|misfit| format!("the model {misfit}"))
    }

    /// The schedule's factor of every learning rate at update number `step`, from 1.
    pub fn rate_factor(&self, step: u64) -> f64 {
        self.schedule.factor(step - 1, self.total_steps())
    }

    /// Updates between two evaluations.
    pub fn evaluate_every_steps(&self) -> u64 {
        match self.evaluate_every {
            EvaluateEvery::Steps(steps) => steps,
            EvaluateEvery::Epoch(_) => self.steps_per_epoch(),
        }
    }

    /// The step of an evaluation counted from the end, from 1 for the last one; `None` if there are fewer, and for 0. The
    /// evaluation before the first update does not count.
    pub fn evaluation_from_end(&self, number: u64) -> Option<u64> {
        let (last, every) = (self.total_steps(), self.evaluate_every_steps());
        // The end is always evaluated.
        let Some(before_end) = number.checked_sub(1)?.checked_sub(1) else { return Some(last) };
        let before_last = last.saturating_sub(1) / every * every;
        before_last.checked_sub(before_end.checked_mul(every)?).filter(|step| *step > 0)
    }

    /// The lower bound of the series `name`, if it is the energy of a layer or their mean. Every method layer counts in
    /// the mean, whatever the arm.
    pub fn least_energy(&self, name: &str) -> Option<LeastEnergy> {
        let wanted = match series::of_layer(name) {
            Some((LayerFigure::Energy, layer)) => Some(layer),
            None if name == series::ENERGY_MEAN => None,
            _ => return None,
        };
        let architecture = self.architecture().ok()?;
        let layers =
            architecture.method_layers().filter(|(layer, ..)| wanted.is_none_or(|wanted| wanted == *layer));
        let bounds: Vec<LeastEnergy> =
            layers.map(|(_, d, n)| self.energy.least(n, d)).collect::<Option<_>>()?;
        (!bounds.is_empty()).then(|| LeastEnergy {
            value: bounds.iter().map(|bound| bound.value).sum::<f64>() / bounds.len() as f64,
            reachable: bounds.iter().all(|bound| bound.reachable),
        })
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        let (epochs, steps) = read_length(fields);
        let data = fields.table("data", Some("{ name = \"digits\" }"), DataSpec::read);
        let sizes = data.sizes();
        let most = sizes.map_or(u64::MAX, |sizes| sizes.train);
        let train = Self {
            epochs,
            steps,
            batch_size: fields.integer("batch_size", Some(most.min(128)), 1..=most),
            label_smoothing: fields.number("label_smoothing", Some(0.0), 0.0..=0.99),
            log_every_steps: fields.integer("log_every_steps", Some(1), 1..=1_000_000),
            evaluate_every: read_evaluate_every(fields),
            model: fields.table("model", Some("{ kind = \"mlp\", hidden = [128] }"), ModelSpec::read),
            optimizer: fields.table("optimizer", None, OptimizerSpec::read),
            schedule: fields.table("schedule", None, ScheduleSpec::read),
            clip_norm: optional_number(fields, "clip_norm", 1e-6..=1e6),
            average_decay: optional_number(fields, "average_decay", 0.0..=0.999_999),
            precision: Precision::read(fields),
            energy: fields.table("energy", None, EnergySpec::read),
            data,
        };
        if sizes.is_some() && train.total_steps() > MOST_STEPS {
            let total = train.total_steps();
            let name = if epochs.is_some() { "epochs" } else { "steps" };
            fields.wrong(name, format!("makes {total} updates; at most {MOST_STEPS} are allowed"));
        }
        if let Some(task) = train.data.task()
            && let Err(misfit) = train.model.architecture(&task)
        {
            fields.wrong("model", misfit);
        }
        let normalises = |layer: &Layer| matches!(layer, Layer::BatchNorm { .. });
        if train.batch_size == 1 && train.architecture().is_ok_and(|layers| layers.walk().any(normalises)) {
            fields.wrong(
                "batch_size",
                "must be at least 2 with batch normalisation, because one sample has no variance",
            );
        }
        train
    }
}

fn read_length(fields: &mut Fields<'_>) -> (Option<u64>, Option<u64>) {
    let (epochs, steps) = (fields.has("epochs"), fields.has("steps"));
    if epochs == steps {
        let right = if epochs { "are both set; keep one" } else { "are both missing; set one" };
        fields.wrong("epochs", format!("`epochs` and `steps` {right}"));
    }
    (
        epochs.then(|| fields.integer("epochs", None, 1..=1_000_000)),
        steps.then(|| fields.integer("steps", None, 1..=MOST_STEPS)),
    )
}

/// A number without a default: if it is left out, its feature is off.
fn optional_number(fields: &mut Fields<'_>, name: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
    fields.has(name).then(|| fields.number(name, None, range))
}

fn read_evaluate_every(fields: &mut Fields<'_>) -> EvaluateEvery {
    match fields.raw("evaluate_every") {
        None => EvaluateEvery::Epoch(EpochWord::Epoch),
        Some(value) if value == "epoch" => EvaluateEvery::Epoch(EpochWord::Epoch),
        Some(value) => match value.as_u64() {
            Some(steps @ 1..=MOST_STEPS) => EvaluateEvery::Steps(steps),
            _ => {
                let is = shown(value);
                fields.wrong("evaluate_every", format!("must be \"epoch\" or a number of steps, is {is}"));
                EvaluateEvery::Steps(1)
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::merge::merge;
    use crate::problem::Problems;

    fn read(options: Value) -> Result<TrainSpec, Problems> {
        let base =
            json!({ "epochs": 1, "data": { "name": "digits" }, "model": { "kind": "mlp", "hidden": [8] } });
        Fields::read(&merge(base, &options), TrainSpec::read)
    }

    fn stored(options: Value) -> Value {
        serde_json::to_value(read(options).unwrap_or_else(|problems| panic!("{problems}"))).unwrap()
    }

    #[test]
    fn evaluations_are_counted_from_the_end() {
        let steps = |steps: u64, every: u64| {
            let train = read(json!({ "epochs": null, "steps": steps, "evaluate_every": every })).unwrap();
            [1, 2, 3, 4].map(|number| train.evaluation_from_end(number))
        };
        assert_eq!(steps(30, 10), [Some(30), Some(20), Some(10), None]);
        assert_eq!(steps(25, 10), [Some(25), Some(20), Some(10), None]);
        assert_eq!(steps(5, 10), [Some(5), None, None, None]);
    }

    #[test]
    fn options_are_spelled_out_and_round_trip() {
        let off = stored(json!({}));
        for name in ["clip_norm", "average_decay"] {
            assert_eq!(off.get(name), Some(&Value::Null), "{name}");
        }
        assert_eq!(off["precision"], "float32");
        let on = json!({ "clip_norm": 0.5, "average_decay": 0.999, "precision": "bfloat16" });
        let stored = stored(on.clone());
        for (name, value) in on.as_object().unwrap() {
            assert_eq!(&stored[name], value, "{name}");
        }
        assert_eq!(serde_json::from_value::<TrainSpec>(stored).unwrap(), read(on).unwrap());
    }

    #[test]
    fn options_out_of_range_are_rejected_with_their_path() {
        for (options, problem) in [
            (json!({ "clip_norm": 0 }), "/clip_norm: must be a number from 0.000001 to 1000000, is 0"),
            (json!({ "clip_norm": true }), "/clip_norm: must be a number from 0.000001 to 1000000, is true"),
            (json!({ "average_decay": 1 }), "/average_decay: must be a number from 0 to 0.999999, is 1"),
            (
                json!({ "precision": "bf16" }),
                "/precision: must be `float32`, `tf32` or `bfloat16`, is \"bf16\"",
            ),
        ] {
            assert_eq!(read(options).unwrap_err().to_string(), problem);
        }
    }

    #[test]
    fn each_layer_has_its_own_bound_and_the_mean_of_layers_the_mean_of_bounds() {
        let train = |model: Value| read(json!({ "model": model })).unwrap();
        let least = |n, d| EnergySpec { power: 1, half_space: false, every_steps: 50 }.least(n, d).unwrap();
        let spec = train(json!({ "kind": "mlp", "hidden": [32, 80] }));
        let [first, second] = [least(32, 64), least(80, 32)];
        assert_eq!(spec.least_energy("energy/hidden1"), Some(first));
        assert_eq!(spec.least_energy("energy/hidden2"), Some(second));
        assert!(first.reachable && !second.reachable);
        let mean = LeastEnergy { value: (first.value + second.value) / 2.0, reachable: false };
        assert_eq!(spec.least_energy("energy/mean"), Some(mean));
        for other in ["energy/classifier", "energy/hidden3", "orthogonality_error/hidden1", "test/loss"] {
            assert_eq!(spec.least_energy(other), None, "{other}");
        }
        // One neuron has no energy, and neither has the mean.
        let lonely = train(json!({ "kind": "mlp", "hidden": [32, 1] }));
        assert_eq!(lonely.least_energy("energy/mean"), None);
        assert_eq!(lonely.least_energy("energy/hidden2"), None);
        let convolution = train(json!({ "kind": "resnet18", "width": 4 }));
        let name = "energy/block1_1_conv1";
        assert_eq!(convolution.least_energy(name), Some(least(4, 36)));
    }
}
