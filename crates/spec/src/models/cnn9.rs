//! CNN-9: Liu et al., "Learning towards Minimum Hyperspherical Energy", NeurIPS 2018, and its public code.

use serde::{Deserialize, Serialize};

use super::plain_cnn::PlainCnn;
use crate::architecture::{Architecture, Task};
use crate::fields::Fields;

/// Three convolutions in each stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cnn9(pub PlainCnn);

impl Cnn9 {
    pub(crate) fn architecture(&self, task: &Task) -> Result<Architecture, String> {
        self.0.architecture(task, 3)
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        Self(PlainCnn::read(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::checks::{CIFAR_100, architecture, method_layers};

    #[test]
    fn neurons_are_those_of_the_public_code() {
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
}
