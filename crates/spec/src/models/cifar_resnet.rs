//! The residual networks for small images: He et al., CVPR 2016, section 4.2. A 3x3 stem, three stages of c, 2c and
//! 4c neurons with shortcuts of option A, and the mean of each channel before the classifier.

use serde::{Deserialize, Serialize};

use super::batch_norm::BatchNorm;
use super::builder::Builder;
use super::residual::{Shortcut, Stage, stage, stem};
use crate::architecture::{Architecture, Task};
use crate::fields::Fields;

/// Fields of `model = { kind = "resnet20", ... }` and its siblings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CifarResnet {
    /// c for stages of c, 2c and 4c neurons; 16 in the paper.
    pub width: u64,
    /// After every convolution.
    #[serde(flatten)]
    pub norm: BatchNorm,
}

impl CifarResnet {
    /// The network with so many blocks in each stage: 6 times that, and 2, layers deep.
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
