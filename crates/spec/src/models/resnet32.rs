//! ResNet-32: He et al., CVPR 2016, section 4.2.

use serde::{Deserialize, Serialize};

use super::cifar_resnet::CifarResnet;
use crate::architecture::{Architecture, Task};
use crate::fields::Fields;

/// Five blocks in each stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resnet32(pub CifarResnet);

impl Resnet32 {
    pub(crate) fn architecture(&self, task: &Task) -> Result<Architecture, String> {
        self.0.architecture(task, 5)
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        Self(CifarResnet::read(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::checks::{CIFAR_10, architecture, parameters};

    #[test]
    fn sizes_are_those_of_the_paper() {
        let net = architecture(json!({ "kind": "resnet32", "width": 16 }), &CIFAR_10);
        assert_eq!(net.method_layers().count(), 31);
        // 0.46 million in table 6 of the paper.
        assert_eq!(parameters(&net), 464_154);
    }
}
