//! The server's comparison, as the tables need it.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::stats::Metric;

#[derive(Deserialize)]
pub(super) struct Comparison {
    #[serde(deserialize_with = "metric")]
    pub(super) metric: Metric,
    pub(super) last: Option<i64>,
    pub(super) baseline: String,
    pub(super) verdict: String,
    pub(super) arms: Vec<Arm>,
    pub(super) missing: Vec<Missing>,
    pub(super) differences: Vec<SpecDifference>,
    pub(super) environments: Vec<EnvironmentDifference>,
}

#[derive(Deserialize)]
pub(super) struct Arm {
    pub(super) arm: String,
    pub(super) method: String,
    pub(super) n: usize,
    pub(super) mean: Option<f64>,
    pub(super) std: Option<f64>,
    pub(super) energy: Option<f64>,
    pub(super) seconds: Option<f64>,
    pub(super) pairs: Option<usize>,
    pub(super) mean_difference: Option<f64>,
    pub(super) difference: Option<Difference>,
    pub(super) cannot_tell: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Difference {
    pub(super) n: usize,
    pub(super) mean: f64,
    pub(super) std: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) bootstrap_low: f64,
    pub(super) bootstrap_high: f64,
    pub(super) p_value: f64,
    pub(super) p_adjusted: f64,
    pub(super) significant: bool,
    pub(super) sign_flip: SignFlip,
    pub(super) effect_size: f64,
    pub(super) seeds_needed: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct SignFlip {
    pub(super) p_value: f64,
    pub(super) p_adjusted: f64,
    pub(super) least_p: f64,
}

#[derive(Deserialize)]
pub(super) struct Missing {
    pub(super) arm: String,
    pub(super) seed: i64,
    pub(super) state: String,
    pub(super) end_reason: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct SpecDifference {
    pub(super) pointer: String,
    pub(super) values: Map<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct EnvironmentDifference {
    pub(super) arm: String,
    pub(super) seed: i64,
    pub(super) field: String,
    pub(super) values: Vec<String>,
}

impl Comparison {
    pub(super) fn arm(&self, name: &str) -> Option<&Arm> {
        self.arms.iter().find(|arm| arm.arm == name)
    }

    /// Arms with a test.
    pub(super) fn tested(&self) -> impl Iterator<Item = &Difference> {
        self.arms.iter().filter_map(|arm| arm.difference.as_ref())
    }
}

fn metric<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Metric, D::Error> {
    let name = String::deserialize(deserializer)?;
    Metric::parse(&name).map_err(serde::de::Error::custom)
}
