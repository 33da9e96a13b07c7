//! The comparison of arms, of one experiment or of several.

use std::collections::BTreeMap;

use optlab_domain::{EndReason, ExperimentId, JobId, JobState, Metric, Standing};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The arms of one or several experiments, compared over their succeeded jobs. An arm is named as in its spec if there
/// is one experiment, and `ID/ARM` if there are several.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    /// The experiments, in the order of the request.
    pub experiments: Vec<ComparedExperiment>,
    /// The compared figure.
    pub metric: Metric,
    /// Unit of every value; empty for a pure number.
    pub unit: String,
    /// Which direction is better; null if neither is.
    pub higher_is_better: Option<bool>,
    /// Whether the test set has selected the evaluation that it judges, which makes every arm look better.
    pub selected_on_test_set: bool,
    /// Number of evaluations whose mean each value is, for the metrics that are such a mean.
    pub last: Option<i64>,
    /// Name of the arm that the others are compared with; null if none is named and the spec of the first experiment
    /// has none.
    pub baseline: Option<String>,
    /// Number of pairs that a conclusion needs.
    pub pairs_needed: usize,
    /// The result as a sentence.
    pub verdict: String,
    /// The arms, in the order of the experiments and their specs.
    pub arms: Vec<ArmResult>,
    /// Jobs without the figure. No pair of theirs counts.
    pub missing: Vec<MissingCell>,
    /// Every field of the specs in which arms differ.
    pub differences: Vec<SpecDifference>,
    /// Pairs that were trained in more than one environment.
    pub environments: Vec<EnvironmentDifference>,
    /// How the bootstrap intervals can be reproduced.
    pub bootstrap: Bootstrap,
}

/// A compared experiment.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ComparedExperiment {
    /// Its id.
    #[schema(value_type = i64)]
    pub id: ExperimentId,
    /// Its name, which other experiments may share.
    pub name: String,
}

/// One arm.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ArmResult {
    /// Its name.
    pub arm: String,
    /// The experiment that it belongs to.
    #[schema(value_type = i64)]
    pub experiment_id: ExperimentId,
    /// `baseline`, `opt:cayley`, ...
    pub method: String,
    /// Number of jobs with the figure.
    pub n: usize,
    /// Mean of the figure.
    pub mean: Option<f64>,
    /// Sample standard deviation of the figure.
    pub std: Option<f64>,
    /// Mean of the last `energy/mean`.
    pub energy: Option<f64>,
    /// How far `energy` is above the least possible energy, the mean over the layers of theirs, in percent of the latter's
    /// size. Where a layer has more neurons than a regular simplex (in half-space, than orthonormal ones) can have, the
    /// least energy is a bound that cannot be reached.
    pub energy_excess: Option<f64>,
    /// Mean wall time of a run.
    pub seconds: Option<f64>,
    /// Number of seeds for which this arm and the baseline have the figure, 0 if equal seeds are no pairs; null for the
    /// baseline itself.
    pub pairs: Option<usize>,
    /// Mean over the pairs of the arm's figure minus the baseline's.
    pub mean_difference: Option<f64>,
    /// The difference with its uncertainty; null if it cannot be tested.
    pub difference: Option<Difference>,
    /// How often the arm is better; null for the baseline, without pairs, and if neither direction is better.
    pub wins: Option<Wins>,
    /// The conclusion; null for the baseline, without one, and if all pairs differ by the same.
    pub standing: Option<Standing>,
    /// Why nothing can be concluded.
    pub cannot_tell: Option<String>,
    /// The figure of each job that has it.
    pub values: Vec<SeedValue>,
}

/// The figure of one job.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SeedValue {
    /// The seed of the job.
    pub seed: i64,
    /// The figure.
    pub value: f64,
}

/// A paired difference, arm minus baseline, with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// Number of pairs.
    pub n: usize,
    /// Mean of the differences.
    pub mean: f64,
    /// Sample standard deviation of the differences; never 0.
    pub std: f64,
    /// Lower end of the 95% interval by Student's t.
    pub low: f64,
    /// Upper end of the 95% interval by Student's t.
    pub high: f64,
    /// Lower end of the 95% interval by the percentile bootstrap; null below five pairs, of which it is much too short.
    pub bootstrap_low: Option<f64>,
    /// Upper end of the 95% interval by the percentile bootstrap; null below five pairs.
    pub bootstrap_high: Option<f64>,
    /// Two-sided p-value of the paired t-test.
    pub p_value: f64,
    /// `p_value` after Holm's procedure over all tested arms.
    pub p_adjusted: f64,
    /// Whether `p_adjusted` is below 0.05 and the pairs suffice for a conclusion.
    pub significant: bool,
    /// The test that assumes no distribution.
    pub sign_flip: SignFlip,
    /// Cohen's d_z: `mean` divided by `std`; null below five pairs.
    pub effect_size: Option<f64>,
    /// Number of seeds with which 80% of experiments would find a true difference of this size at 0.05 divided by the
    /// number of tested arms, the first and strictest level of Holm's procedure; null above 10,000 and below five pairs.
    pub seeds_needed: Option<usize>,
}

/// How often an arm is better than the baseline with the same seed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Wins {
    /// Number of pairs in which the arm is better.
    pub wins: usize,
    /// Number of pairs in which both are equal.
    pub ties: usize,
    /// P(arm better), the estimated probability that the arm is better with a fresh seed: the share of the pairs that it
    /// wins, with ties as halves.
    pub probability: f64,
    /// Lower end of the exact 95% interval of the probability (Clopper and Pearson).
    pub low: f64,
    /// Upper end of the exact 95% interval of the probability.
    pub high: f64,
}

/// The sign-flip permutation test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SignFlip {
    /// Two-sided p-value.
    pub p_value: f64,
    /// `p_value` after Holm's procedure over all tested arms.
    pub p_adjusted: f64,
    /// The least p-value that this number of pairs can reach.
    pub least_p: f64,
    /// Whether all signs were tried, and not 100,000 random ones.
    pub exact: bool,
}

/// A job without the figure.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MissingCell {
    /// Name of its arm.
    pub arm: String,
    /// Its seed.
    pub seed: i64,
    /// Its id.
    #[schema(value_type = i64)]
    pub job_id: JobId,
    /// Its state; `succeeded` if it has succeeded without recording the figure.
    pub state: JobState,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// What went wrong, in a sentence.
    pub error: Option<String>,
}

/// A field in which arms differ.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SpecDifference {
    /// JSON pointer of the field in a job's spec, or of `/seeds`, `/max_attempts` or `/time_limit_seconds` in that of
    /// its experiment.
    pub pointer: String,
    /// The value in each arm that has the field, by the name of the arm; null if the field is switched off. For an arm
    /// without rotations, `/method/learning_rate` and `/method/weight_decay` are those of its optimizer, which train the
    /// same layers.
    pub values: BTreeMap<String, Value>,
}

/// A pair that was trained in more than one environment.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EnvironmentDifference {
    /// Name of the arm.
    pub arm: String,
    /// The seed of the pair.
    pub seed: i64,
    /// `optlab`, `libtorch`, `device`, `device_name` or `threads`.
    pub field: String,
    /// All values that it had.
    pub values: Vec<String>,
}

/// How the bootstrap intervals can be reproduced.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Bootstrap {
    /// Number of resamples.
    pub resamples: usize,
    /// Seed of PCG64, stream 0.
    pub seed: u64,
}
