//! The residual networks for small images: He et al., CVPR 2016, section 4.2. A 3x3 stem, three stages of c, 2c and 4c
//! neurons with shortcuts of option A, and the mean of each channel before the classifier. ResNet-20 has three blocks
//! in each stage, ResNet-32 five.

use serde::{Deserialize, Serialize};

use super::batch_norm::BatchNorm;
use super::builder::Builder;
use super::residual::{Shortcut, Stage, stage, stem};
use crate::architecture::{Architecture, Task};
use crate::fields::Fields;

/// Fields of `model = { kind = "resnet20", ... }` and its siblings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CifarResnet {
    /// c for stages of c, 2c and 4c neurons; 16 in the paper.
    pub width: u64,
    /// After every convolution.
    #[serde(flatten)]
    pub norm: BatchNorm,
}

impl CifarResnet {
    /// The network with this number of `blocks` in each stage, which is 6 `blocks` + 2 layers deep.
    pub(crate) fn architecture(&self, task: &Task, blocks: usize) -> Result<Architecture, String> {
        let mut net = Builder::new(task);
        stem(&mut net, &self.norm, self.width, 3, 1);
        for (number, c_out, stride) in [(1, self.width, 1), (2, 2 * self.width, 2), (3, 4 * self.width, 2)] {
            let shortcut = Shortcut::ZeroPad;
            stage(&mut net, &self.norm, Stage { number, blocks, c_out, stride, shortcut });
        }
        net.global_average_pool();
        net.classifier()
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        Self { width: fields.integer("width", None, 1..=1024), norm: BatchNorm::read(fields) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::checks::{CIFAR_10, architecture, method_layers, parameters};
    use crate::architecture::Layer;

    #[test]
    fn sizes_of_resnet20_are_those_of_the_paper() {
        let net = architecture(json!({ "kind": "resnet20", "width": 16 }), &CIFAR_10);
        assert_eq!(
            method_layers(&net),
            [
                ("stem", 27, 16),
                ("block1_1_conv1", 144, 16),
                ("block1_1_conv2", 144, 16),
                ("block1_2_conv1", 144, 16),
                ("block1_2_conv2", 144, 16),
                ("block1_3_conv1", 144, 16),
                ("block1_3_conv2", 144, 16),
                ("block2_1_conv1", 144, 32),
                ("block2_1_conv2", 288, 32),
                ("block2_2_conv1", 288, 32),
                ("block2_2_conv2", 288, 32),
                ("block2_3_conv1", 288, 32),
                ("block2_3_conv2", 288, 32),
                ("block3_1_conv1", 288, 64),
                ("block3_1_conv2", 576, 64),
                ("block3_2_conv1", 576, 64),
                ("block3_2_conv2", 576, 64),
                ("block3_3_conv1", 576, 64),
                ("block3_3_conv2", 576, 64),
            ]
        );
        // 0.27 million in table 6 of the paper.
        assert_eq!(parameters(&net), 269_722);
    }

    #[test]
    fn sizes_of_resnet32_are_those_of_the_paper() {
        let net = architecture(json!({ "kind": "resnet32", "width": 16 }), &CIFAR_10);
        assert_eq!(net.method_layers().count(), 31);
        // 0.46 million in table 6 of the paper.
        assert_eq!(parameters(&net), 464_154);
    }

    #[test]
    fn shortcuts_have_no_parameters_and_occur_where_sizes_change() {
        let net = architecture(json!({ "kind": "resnet20", "width": 16 }), &CIFAR_10);
        let shortcuts = net.walk().filter_map(|layer| match layer {
            Layer::ZeroPadShortcut { c_in, c_out, stride } => Some((*c_in, *c_out, *stride)),
            _ => None,
        });
        assert!(shortcuts.eq([(16, 32, 2), (32, 64, 2)]));
        assert_eq!(net.walk().filter(|layer| matches!(layer, Layer::Residual { .. })).count(), 9);
    }
}
