//! ResNet-20: He et al., CVPR 2016, section 4.2.

use serde::{Deserialize, Serialize};

use super::cifar_resnet::CifarResnet;
use crate::architecture::{Architecture, Task};
use crate::fields::Fields;

/// Three blocks in each stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resnet20(pub CifarResnet);

impl Resnet20 {
    pub(crate) fn architecture(&self, task: &Task) -> Result<Architecture, String> {
        self.0.architecture(task, 3)
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        Self(CifarResnet::read(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::checks::{CIFAR_10, architecture, method_layers, parameters};
    use crate::architecture::Layer;

    #[test]
    fn sizes_are_those_of_the_paper() {
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
    fn shortcuts_have_no_parameters_and_stand_where_sizes_change() {
        let net = architecture(json!({ "kind": "resnet20", "width": 16 }), &CIFAR_10);
        let shortcuts = net.walk().filter_map(|layer| match layer {
            Layer::ZeroPadShortcut { c_in, c_out, stride } => Some((*c_in, *c_out, *stride)),
            _ => None,
        });
        assert!(shortcuts.eq([(16, 32, 2), (32, 64, 2)]));
        assert_eq!(net.walk().filter(|layer| matches!(layer, Layer::Residual { .. })).count(), 9);
    }
}
