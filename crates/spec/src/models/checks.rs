//! Queries of a network for the tests of models.

use serde_json::Value;

use super::ModelSpec;
use crate::architecture::{Architecture, Layer, Task};
use crate::fields::Fields;

pub(crate) const CIFAR_10: Task = Task { shape: [3, 32, 32], classes: 10 };
pub(crate) const CIFAR_100: Task = Task { shape: [3, 32, 32], classes: 100 };

/// The model as it is resolved from a submission.
pub(crate) fn model(value: Value) -> ModelSpec {
    Fields::read(&value, ModelSpec::read).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The mistakes in a model.
pub(crate) fn problems(value: Value) -> Vec<String> {
    let problems = Fields::read(&value, ModelSpec::read).err().unwrap_or_default();
    problems.list.iter().map(ToString::to_string).collect()
}

pub(crate) fn architecture(value: Value, task: &Task) -> Architecture {
    model(value).architecture(task).unwrap()
}

/// The layers that the method trains, as `(name, d, n)`.
pub(crate) fn method_layers(architecture: &Architecture) -> Vec<(&str, u64, u64)> {
    architecture.method_layers().collect()
}

/// Number of parameters that the baseline trains.
pub(crate) fn parameters(architecture: &Architecture) -> u64 {
    let with_bias = |d: u64, n: u64, bias: bool| n * (d + u64::from(bias));
    let count = |layer: &Layer| match layer {
        Layer::Linear { d, n, bias, .. } => with_bias(*d, *n, *bias),
        Layer::Conv2d { c_in, c_out, kernel, bias, .. } => with_bias(c_in * kernel * kernel, *c_out, *bias),
        Layer::BatchNorm { n, .. } => 2 * n,
        _ => 0,
    };
    architecture.walk().map(count).sum()
}
