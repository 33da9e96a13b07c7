//! The plain convolutional networks of Liu et al.: three stages of 3x3 convolutions with a maximum pooling after each,
//! then one layer over all that is left, and the classifier. They differ in the depth of a stage.
//!
//! Their public code writes the last hidden layer as a convolution without padding over the whole map (4x4 on images
//! of 32x32), with neither normalisation nor ReLU after it. That is a linear layer on the flattened map, and it is
//! written as one here: the neurons are the same, in the order channel, row, column.

use serde::{Deserialize, Serialize};

use super::batch_norm::OptionalBatchNorm;
use super::builder::{Builder, Conv};
use crate::architecture::{Architecture, Task};
use crate::fields::{Fields, integer_item};

/// The widest stage that can be asked for.
const WIDEST: u64 = 4096;

/// Fields of `model = { kind = "cnn6", ... }` and its siblings; of `width` and `widths` one is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlainCnn {
    /// c for stages of c, 2c and 4c neurons.
    pub width: Option<u64>,
    /// Neurons of a convolution in each stage; the last hidden layer has as many as the last stage.
    pub widths: Option<[u64; 3]>,
    /// On by default.
    #[serde(flatten)]
    pub norm: OptionalBatchNorm,
}

impl PlainCnn {
    /// The network with so many convolutions in each stage.
    pub(crate) fn architecture(&self, task: &Task, convolutions: usize) -> Result<Architecture, String> {
        let bias = !self.norm.batch_norm;
        let widths = self.stage_widths();
        let mut net = Builder::new(task);
        for (stage, c_out) in (1..).zip(widths) {
            for index in 1..=convolutions {
                let conv = Conv { c_out, kernel: 3, stride: 1, padding: 1, bias };
                net.conv(format!("conv{stage}_{index}"), conv);
                if let Some(settings) = &self.norm.settings {
                    net.batch_norm(format!("norm{stage}_{index}"), settings);
                }
                net.relu();
            }
            net.max_pool(2, 2, 0);
        }
        net.linear("fc".to_owned(), widths[2], bias);
        net.classifier()
    }

    fn stage_widths(&self) -> [u64; 3] {
        let doubled = |width| [width, 2 * width, 4 * width];
        self.widths.unwrap_or_else(|| doubled(self.width.unwrap_or(1)))
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        let (width, widths) = (fields.has("width"), fields.has("widths"));
        if width == widths {
            let right =
                if width { "stand both; give one of them" } else { "are both missing; give one of them" };
            fields.wrong("width", format!("`width` (c for c, 2c, 4c) and `widths` ([a, b, c]) {right}"));
        }
        let item =
            |value: &_, pointer: &str, problems: &mut _| integer_item(value, pointer, problems, 1..=WIDEST);
        Self {
            width: width.then(|| fields.integer("width", None, 1..=WIDEST / 4)),
            widths: widths.then(|| fields.list("widths", None, 3..=3, item).try_into().unwrap_or([1; 3])),
            norm: OptionalBatchNorm::read(fields, true),
        }
    }
}
