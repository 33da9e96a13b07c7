//! CNN-6: Liu et al., "Orthogonal Over-Parameterized Training", CVPR 2021, and its public code.

use serde::{Deserialize, Serialize};

use super::plain_cnn::PlainCnn;
use crate::architecture::{Architecture, Task};
use crate::fields::Fields;

/// Two convolutions in each stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cnn6(pub PlainCnn);

impl Cnn6 {
    pub(crate) fn architecture(&self, task: &Task) -> Result<Architecture, String> {
        self.0.architecture(task, 2)
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        Self(PlainCnn::read(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::checks::{CIFAR_100, architecture, method_layers, parameters, problems};
    use crate::architecture::{Layer, Task};

    #[test]
    fn neurons_are_those_of_the_public_code() {
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
    fn stages_can_be_of_one_width_as_for_stochastic_opt() {
        let net = architecture(json!({ "kind": "cnn6", "widths": [64, 64, 64] }), &CIFAR_100);
        let layers = method_layers(&net);
        assert_eq!((layers[5], layers[6]), (("conv3_2", 576, 64), ("fc", 1024, 64)));
    }

    #[test]
    fn the_last_hidden_layer_sees_all_that_is_left() {
        for (size, left) in [(28, 3), (8, 1)] {
            let task = Task { shape: [1, size, size], classes: 10 };
            let net = architecture(json!({ "kind": "cnn6", "width": 4 }), &task);
            assert_eq!(method_layers(&net)[6], ("fc", 16 * left * left, 16));
        }
    }

    #[test]
    fn without_batch_norm_every_layer_has_a_bias() {
        for batch_norm in [true, false] {
            let net = architecture(json!({ "kind": "cnn6", "width": 4, "batch_norm": batch_norm }), &CIFAR_100);
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
            (json!({ "kind": "cnn6" }), "/width: `width` (c for c, 2c, 4c) and `widths` ([a, b, c]) are both"),
            (json!({ "kind": "cnn6", "width": 4, "widths": [1, 2, 3] }), "stand both; give one of them"),
            (json!({ "kind": "cnn6", "widths": [1, 2] }), "/widths: must be a list of 3 entries, has 2"),
            (json!({ "kind": "cnn6", "widths": [1, 0, 3] }), "/widths/1: must be a whole number from 1 to 4096"),
            (
                json!({ "kind": "cnn6", "width": 4, "batch_norm": false, "batch_norm_momentum": 0.1 }),
                "/batch_norm_momentum: means nothing without `batch_norm = true`",
            ),
        ] {
            let problems = problems(model);
            assert!(problems.len() == 1 && problems[0].contains(says), "{problems:?}");
        }
    }
}
