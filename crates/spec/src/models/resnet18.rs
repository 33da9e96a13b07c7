//! ResNet-18: He et al., CVPR 2016, table 1, with projections (option B) where sizes change.
//!
//! Images with a side below 64 pixels keep their size up to the first stage: the 7x7 stem of stride 2 and the pooling
//! after it are those of the paper for images of 224x224, and would leave little of small ones.

use serde::{Deserialize, Serialize};

use super::batch_norm::BatchNorm;
use super::builder::Builder;
use super::residual::{Shortcut, Stage, stage, stem};
use crate::architecture::{Architecture, Task};
use crate::fields::Fields;

/// The shortest side for which the paper's stem is used.
const LARGE: u64 = 64;

/// Fields of `model = { kind = "resnet18", ... }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Resnet18 {
    /// c for stages of c, 2c, 4c and 8c neurons; 64 in the paper.
    pub width: u64,
    /// After every convolution.
    #[serde(flatten)]
    pub norm: BatchNorm,
}

impl Resnet18 {
    pub(crate) fn architecture(&self, task: &Task) -> Result<Architecture, String> {
        let [_, height, width] = task.shape;
        let mut net = Builder::new(task);
        if height.min(width) < LARGE {
            stem(&mut net, &self.norm, self.width, 3, 1);
        } else {
            stem(&mut net, &self.norm, self.width, 7, 2);
            net.max_pool(3, 2, 1);
        }
        for (number, stride) in [(1, 1), (2, 2), (3, 2), (4, 2)] {
            let (c_out, shortcut) = (self.width << (number - 1), Shortcut::Projection);
            stage(&mut net, &self.norm, Stage { number, blocks: 2, c_out, stride, shortcut });
        }
        net.global_average_pool();
        net.classifier()
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        Self { width: fields.integer("width", None, 1..=512), norm: BatchNorm::read(fields) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::checks::{CIFAR_100, architecture, method_layers, parameters};
    use crate::architecture::{Layer, Task};

    #[test]
    fn sizes_are_those_of_the_paper() {
        let net = architecture(json!({ "kind": "resnet18", "width": 64 }), &CIFAR_100);
        let layers = method_layers(&net);
        // 17 convolutions and 3 projections.
        assert_eq!(layers.len(), 20);
        assert_eq!(layers[0], ("stem", 27, 64));
        assert_eq!(
            layers[5..8],
            [("block2_1_conv1", 576, 128), ("block2_1_conv2", 1152, 128), ("block2_1_shortcut", 64, 128),]
        );
        assert_eq!(layers[19], ("block4_2_conv2", 4608, 512));
        // 11.2 million.
        assert_eq!(parameters(&net), 11_220_132);
    }

    #[test]
    fn large_images_have_the_stem_of_the_paper() {
        let task = Task { shape: [3, 224, 224], classes: 1000 };
        let net = architecture(json!({ "kind": "resnet18", "width": 64 }), &task);
        assert_eq!(method_layers(&net)[0], ("stem", 147, 64));
        assert_eq!(net.layers[3], Layer::MaxPool { size: 3, stride: 2, padding: 1 });
        // 11.7 million, as libraries of published weights count them.
        assert_eq!(parameters(&net), 11_689_512);
    }
}
