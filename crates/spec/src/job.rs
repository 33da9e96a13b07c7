//! One training run.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::checkpoint::CheckpointSpec;
use crate::fields::Fields;
use crate::method::MethodSpec;
use crate::problem::Problems;
use crate::resources::Resources;
use crate::train::TrainSpec;

/// One complete training run: everything that a runner needs except the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// The arm's name.
    pub arm: String,
    /// Seed of every random stream.
    pub seed: u64,
    /// How the hidden layers are trained.
    pub method: MethodSpec,
    /// The rest of the training.
    pub train: TrainSpec,
    /// Threads and device.
    pub resources: Resources,
    /// The intervals between its checkpoints.
    pub checkpoint: CheckpointSpec,
}

impl JobSpec {
    /// Reads a job that was validated when this version or an older one stored it.
    ///
    /// # Errors
    /// If this version cannot interpret it.
    pub fn from_stored(value: &Value) -> Result<Self, Problems> {
        Fields::read_stored(value, |fields| {
            let train = fields.table("train", Some("{ epochs = 10, ... }"), TrainSpec::read);
            Self {
                arm: fields.identifier("arm"),
                seed: fields.integer("seed", None, 0..=u64::from(u32::MAX)),
                method: fields.table("method", Some("{ kind = \"baseline\" }"), |method| {
                    MethodSpec::read(method, &train)
                }),
                resources: fields.table("resources", None, Resources::read),
                checkpoint: fields.table("checkpoint", None, CheckpointSpec::read),
                train,
            }
        })
    }
}
