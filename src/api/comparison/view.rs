//! The comparison as clients see it.

use std::collections::BTreeMap;

use optlab_domain::{EndReason, JobState};
use serde::Serialize;
use utoipa::ToSchema;

use crate::stats::Difference;

/// The arms of an experiment, over their succeeded jobs.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct Comparison {
    /// What is compared.
    pub(super) metric: &'static str,
    /// Unit of every value; empty for a pure number.
    pub(super) unit: &'static str,
    /// Which way is better; null where neither is.
    pub(super) higher_is_better: Option<bool>,
    /// The test set has chosen the evaluation that it judges, which flatters.
    pub(super) selected_on_test_set: bool,
    /// How many evaluations each value is the mean of, where it is one.
    pub(super) last: Option<i64>,
    /// Name of the arm that the others are compared with.
    pub(super) baseline: String,
    /// The result as a sentence.
    pub(super) verdict: String,
    pub(super) arms: Vec<ArmComparison>,
    /// Jobs without the figure. No pair of theirs counts.
    pub(super) missing: Vec<MissingCell>,
    /// Every field of the spec in which arms differ.
    pub(super) differences: Vec<SpecDifference>,
    /// Pairs that were trained in more than one environment.
    pub(super) environments: Vec<EnvironmentDifference>,
    pub(super) bootstrap: Bootstrap,
}

/// One arm.
#[derive(Serialize, ToSchema)]
pub(super) struct ArmComparison {
    pub(super) arm: String,
    pub(super) method: String,
    /// Jobs with the figure.
    pub(super) n: usize,
    pub(super) mean: Option<f64>,
    /// Standard deviation of the sample.
    pub(super) std: Option<f64>,
    /// Mean of the last `energy/mean`.
    pub(super) energy: Option<f64>,
    /// Mean wall time of a run.
    pub(super) seconds: Option<f64>,
    /// Seeds of which both this arm and the baseline have the figure; null for the baseline itself.
    pub(super) pairs: Option<usize>,
    /// Mean of arm minus baseline over the pairs.
    pub(super) mean_difference: Option<f64>,
    /// How sure that is; null where it cannot be told.
    pub(super) difference: Option<DifferenceView>,
    /// Why it cannot be told.
    pub(super) cannot_tell: Option<String>,
    pub(super) values: Vec<SeedValue>,
}

/// The figure of one job.
#[derive(Serialize, ToSchema)]
pub(super) struct SeedValue {
    pub(super) seed: i64,
    pub(super) value: f64,
}

/// A paired difference with its 95% interval by Student's t.
#[derive(Serialize, ToSchema)]
pub(super) struct DifferenceView {
    /// Pairs.
    n: usize,
    mean: f64,
    /// Standard deviation of the sample.
    std: f64,
    low: f64,
    high: f64,
    /// The 95% interval by the percentile bootstrap.
    bootstrap_low: f64,
    bootstrap_high: f64,
    /// Two-sided paired t-test.
    p_value: f64,
    /// After Holm, for all arms that are tested.
    p_adjusted: f64,
    /// Whether that is below 0.05.
    significant: bool,
    sign_flip: SignFlipView,
    /// Cohen's d_z: mean over standard deviation.
    effect_size: f64,
    /// Seeds with which 80% of experiments would find a true difference of this size at 0.05; null above 10,000.
    seeds_needed: Option<usize>,
}

/// The sign-flip permutation test.
#[derive(Serialize, ToSchema)]
struct SignFlipView {
    /// Two-sided.
    p_value: f64,
    /// After Holm.
    p_adjusted: f64,
    /// The least that so many pairs can reach.
    least_p: f64,
    /// All signs were tried, not only 100,000 random ones.
    exact: bool,
}

/// A job without the figure.
#[derive(Serialize, ToSchema)]
pub(super) struct MissingCell {
    pub(super) arm: String,
    pub(super) seed: i64,
    pub(super) job_id: i64,
    /// `succeeded` for a job that ended well without it.
    pub(super) state: JobState,
    pub(super) end_reason: Option<EndReason>,
    pub(super) error: Option<String>,
}

/// A field in which arms differ.
#[derive(Serialize, ToSchema)]
pub(super) struct SpecDifference {
    /// Where it stands in a job's spec.
    pub(super) pointer: String,
    /// By the name of each arm that has the field.
    #[schema(value_type = Object)]
    pub(super) values: BTreeMap<String, serde_json::Value>,
}

/// A pair that was trained in more than one environment.
#[derive(Serialize, ToSchema)]
pub(super) struct EnvironmentDifference {
    pub(super) arm: String,
    pub(super) seed: i64,
    /// `optlab`, `libtorch`, `device`, `device_name` or `threads`.
    pub(super) field: &'static str,
    /// All that it was.
    pub(super) values: Vec<String>,
}

/// What the bootstrap's intervals can be repeated by.
#[derive(Serialize, ToSchema)]
pub(super) struct Bootstrap {
    pub(super) resamples: usize,
    /// Of PCG64, stream 0.
    pub(super) seed: u64,
}

impl From<&Difference> for DifferenceView {
    fn from(difference: &Difference) -> Self {
        let [low, high] = difference.interval;
        let [bootstrap_low, bootstrap_high] = difference.bootstrap;
        Self {
            n: difference.n,
            mean: difference.mean,
            std: difference.std,
            low,
            high,
            bootstrap_low,
            bootstrap_high,
            p_value: difference.p_value,
            p_adjusted: difference.p_adjusted,
            significant: difference.is_significant(),
            sign_flip: SignFlipView {
                p_value: difference.sign_flip.p_value,
                p_adjusted: difference.sign_flip_adjusted,
                least_p: difference.sign_flip.least,
                exact: difference.sign_flip.exact,
            },
            effect_size: difference.effect_size,
            seeds_needed: difference.seeds_needed,
        }
    }
}
