//! One training run.

use optlab_domain::{Phase, series};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::checkpoint::CheckpointSpec;
use crate::fields::{Fields, integer_item};
use crate::method::MethodSpec;
use crate::problem::Problems;
use crate::resources::Resources;
use crate::train::TrainSpec;
use crate::tune::{Halving, Point};

/// One complete training run: everything that a runner needs except the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// The arm's name.
    pub arm: String,
    /// Seed of every random stream.
    pub seed: u64,
    /// Number of the trial; `None` for a run that counts in the comparison. A trial never evaluates the test set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<u64>,
    /// The values of the tuned fields; empty in an experiment that is not tuned.
    #[serde(default, skip_serializing_if = "Point::is_empty")]
    pub point: Point,
    /// Steps of its rungs; empty without `tune.halving`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rungs: Vec<u64>,
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
    /// Whether the job is a trial or counts in the comparison.
    pub fn phase(&self) -> Phase {
        Phase::of(self.trial.map(|trial| trial as i64))
    }

    /// The number of points that a run records of two series up to its end or a rung, after `steps` updates. Every run
    /// has them, and their values are always finite, so none of their points is left out.
    pub fn points_after(&self, steps: u64) -> Vec<(&'static str, u64)> {
        let evaluations = 1 + steps.div_ceil(self.train.evaluate_every_steps());
        let evaluated = match self.phase() {
            Phase::Trial => series::VALIDATION_ACCURACY,
            Phase::Confirm => series::TEST_ACCURACY,
        };
        vec![(series::TRAIN_LOSS, steps / self.train.log_every_steps), (evaluated, evaluations)]
    }

    /// The run that confirms a trial with another seed: the same settings, and the test set is evaluated.
    pub fn confirm(&self, seed: u64) -> Self {
        Self { seed, trial: None, rungs: Vec::new(), ..self.clone() }
    }

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
                trial: fields.has("trial").then(|| fields.integer("trial", None, 0..=u64::from(u32::MAX))),
                point: fields
                    .raw("point")
                    .and_then(Value::as_object)
                    .cloned()
                    .unwrap_or_default()
                    .into_iter()
                    .collect(),
                rungs: fields.list(
                    "rungs",
                    Some(Vec::new()),
                    1..=Halving::MOST_RUNGS,
                    |value, pointer, problems| integer_item(value, pointer, problems, 1..=u64::MAX),
                ),
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
