//! A multilayer perceptron: linear, optional batch normalisation and ReLU for each hidden width, then a classifier.

use serde::{Deserialize, Serialize};

use super::batch_norm::OptionalBatchNorm;
use super::builder::Builder;
use crate::architecture::{Architecture, Task};
use crate::fields::{Fields, integer_item};

/// Fields of `model = { kind = "mlp", ... }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mlp {
    /// Width of each hidden layer.
    pub hidden: Vec<u64>,
    /// Off by default.
    #[serde(flatten)]
    pub norm: OptionalBatchNorm,
}

impl Mlp {
    pub(crate) fn architecture(&self, task: &Task) -> Result<Architecture, String> {
        let mut net = Builder::new(task);
        for (index, &width) in (1..).zip(&self.hidden) {
            net.linear(format!("hidden{index}"), width, !self.norm.batch_norm);
            if let Some(settings) = &self.norm.settings {
                net.batch_norm(format!("norm{index}"), settings);
            }
            net.relu();
        }
        net.classifier()
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        let width =
            |value: &_, pointer: &str, problems: &mut _| integer_item(value, pointer, problems, 1..=65_536);
        Self {
            hidden: fields.list("hidden", None, 1..=16, width),
            norm: OptionalBatchNorm::read(fields, false),
        }
    }
}
