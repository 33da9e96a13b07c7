//! A multilayer perceptron: linear, optional batch normalisation and ReLU for each hidden width, then a classifier.

use optlab_data::Dataset;
use serde::{Deserialize, Serialize};

use crate::architecture::{Architecture, Builder};
use crate::fields::{Fields, integer_item};

/// Fields of `model = { kind = "mlp", ... }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mlp {
    /// Width of each hidden layer.
    pub hidden: Vec<u64>,
    /// Normalise before each ReLU; the linear layer has no bias then.
    pub batch_norm: bool,
}

impl Mlp {
    pub(crate) fn architecture(&self, dataset: &dyn Dataset) -> Architecture {
        let mut net = Builder::flat(dataset);
        for (index, &width) in (1..).zip(&self.hidden) {
            net.linear(format!("hidden{index}"), width, !self.batch_norm);
            if self.batch_norm {
                net.batch_norm(format!("norm{index}"));
            }
            net.relu();
        }
        net.classifier(dataset.classes() as u64)
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        let width =
            |value: &_, pointer: &str, problems: &mut _| integer_item(value, pointer, problems, 1..=65_536);
        Self {
            hidden: fields.list("hidden", None, 1..=16, width),
            batch_norm: fields.flag("batch_norm", false),
        }
    }
}
