//! The plain convolutional networks of Liu et al.: three stages of 3x3 convolutions with a maximum pooling after each,
//! then one layer over the whole remaining map, and the classifier. CNN-6 has two convolutions in each stage
//! ("Orthogonal Over-Parameterized Training", CVPR 2021), CNN-9 three ("Learning towards Minimum Hyperspherical
//! Energy", NeurIPS 2018).
//!
//! Their public code writes the last hidden layer as a convolution without padding over the whole map (4x4 on images
//! of 32x32), with neither normalisation nor ReLU after it. That is a linear layer on the flattened map, and it is
//! written as one here: the neurons are the same, in the order channel, row, column.

use serde::{Deserialize, Serialize};

use super::batch_norm::OptionalBatchNorm;
use super::builder::{Builder, Conv};
use crate::architecture::{Architecture, Task};
use crate::fields::{Fields, integer_item};

/// Maximum width of a stage.
const WIDEST: u64 = 4096;

/// Fields of `model = { kind = "cnn6", ... }` and its siblings; exactly one of `width` and `widths` is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// The network with this number of `convolutions` in each stage.
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
            let right = if width { "are both set; keep one" } else { "are both missing; set one" };
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::checks::{CIFAR_100, architecture, method_layers, parameters, problems};
    use crate::architecture::{Layer, Task};

    #[test]
    fn neurons_of_cnn6_are_those_of_the_public_code() {
        let net = architecture(json!({ "kind": "cnn6", "width": 32 }), &CIFAR_100);
        assert_eq!(
            method_layers(&net),
            [
                ("conv1_1", 27, 32),
                ("conv1_2", 288, 32),
                ("conv2_1", 288, 64),
                ("conv2_2", 576, 64),
                ("conv3_1", 576, 128),
                ("conv3_2", 1152, 128),
                ("fc", 2048, 128),
            ]
        );
        assert_eq!(
            net.layers.last(),
            Some(&Layer::Linear { name: "classifier".into(), d: 128, n: 100, bias: true, by_method: false })
        );
        let norms = 2 * (32 + 32 + 64 + 64 + 128 + 128);
        let weights = 27 * 32 + 288 * 96 + 576 * 192 + 1152 * 128 + 2048 * 128;
        assert_eq!(parameters(&net), weights + norms + 128 * 100 + 100);
    }

    #[test]
    fn neurons_of_cnn9_are_those_of_the_public_code() {
        let net = architecture(json!({ "kind": "cnn9", "width": 64 }), &CIFAR_100);
        assert_eq!(
            method_layers(&net),
            [
                ("conv1_1", 27, 64),
                ("conv1_2", 576, 64),
                ("conv1_3", 576, 64),
                ("conv2_1", 576, 128),
                ("conv2_2", 1152, 128),
                ("conv2_3", 1152, 128),
                ("conv3_1", 1152, 256),
                ("conv3_2", 2304, 256),
                ("conv3_3", 2304, 256),
                ("fc", 4096, 256),
            ]
        );
    }

    #[test]
    fn stages_can_be_of_one_width_as_for_stochastic_opt() {
        let net = architecture(json!({ "kind": "cnn6", "widths": [64, 64, 64] }), &CIFAR_100);
        let layers = method_layers(&net);
        assert_eq!((layers[5], layers[6]), (("conv3_2", 576, 64), ("fc", 1024, 64)));
    }

    #[test]
    fn the_last_hidden_layer_covers_the_remaining_map() {
        for (size, left) in [(28, 3), (8, 1)] {
            let task = Task { shape: [1, size, size], classes: 10 };
            let net = architecture(json!({ "kind": "cnn6", "width": 4 }), &task);
            assert_eq!(method_layers(&net)[6], ("fc", 16 * left * left, 16));
        }
    }

    #[test]
    fn without_batch_norm_every_layer_has_a_bias() {
        for batch_norm in [true, false] {
            let net =
                architecture(json!({ "kind": "cnn6", "width": 4, "batch_norm": batch_norm }), &CIFAR_100);
            let norms = net.walk().filter(|layer| matches!(layer, Layer::BatchNorm { .. })).count();
            assert_eq!(norms, if batch_norm { 6 } else { 0 });
            for layer in net.walk() {
                let (Layer::Conv2d { bias, .. } | Layer::Linear { bias, by_method: true, .. }) = layer else {
                    continue;
                };
                assert_eq!(*bias, !batch_norm, "{layer:?}");
            }
        }
    }

    #[test]
    fn widths_are_given_once_and_in_range() {
        for (model, says) in [
            (
                json!({ "kind": "cnn6" }),
                "/width: `width` (c for c, 2c, 4c) and `widths` ([a, b, c]) are both",
            ),
            (json!({ "kind": "cnn6", "width": 4, "widths": [1, 2, 3] }), "are both set; keep one"),
            (json!({ "kind": "cnn6", "widths": [1, 2] }), "/widths: must be a list of 3 entries, has 2"),
            (
                json!({ "kind": "cnn6", "widths": [1, 0, 3] }),
                "/widths/1: must be a whole number from 1 to 4096",
            ),
            (
                json!({ "kind": "cnn6", "width": 4, "batch_norm": false, "batch_norm_momentum": 0.1 }),
                "/batch_norm_momentum: has no effect without `batch_norm = true`",
            ),
        ] {
            let problems = problems(model);
            assert!(problems.len() == 1 && problems[0].contains(says), "{problems:?}");
        }
    }
}
