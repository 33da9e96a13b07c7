//! Tuning: how often and by which points the settings of each arm are tried before its confirming runs.
//!
//! Every arm gets the same number of points. A field is a dimension, the same one in every arm, so that arms that share a
//! range try the same values of it.

mod range;
mod path;
mod source;

mod points;
mod halving;
mod arm;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{IntoStaticStr, VariantArray};

use crate::fields::Fields;
use crate::seeds::{Seeds, read_seeds};

pub(crate) use arm::{Tuned, at_trial, read_tuned};
pub use halving::Halving;
pub use range::{RangeSpec, Scale};
pub use source::ArmSource;
pub(crate) use source::written;

/// The values of the tuned fields at one point, by the paths of the fields.
pub type Point = BTreeMap<String, Value>;

/// The ranges of an arm, by the paths of their fields.
pub type Space = BTreeMap<String, RangeSpec>;

/// Maximum number of points of an arm.
const MOST_TRIALS: u64 = 1000;
/// Maximum number of tuned fields of an experiment. The generator of points has 256 dimensions.
const MOST_FIELDS: usize = 100;
/// Seeds of trials if none are given, far from those with which people usually confirm.
const SEEDS: [u64; 2] = [1000, 1001];

/// The tuning of an experiment, the same for every arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TuneSpec {
    /// Number of points that each arm tries.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000))]
    pub trials: u64,
    /// Seeds of the trials: each point is tried with each of them. They must differ from the seeds that confirm.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 10_000, value_type = Vec<crate::schema::Seed>))]
    pub seeds: Vec<u64>,
    /// Seed that scrambles the points.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Seed))]
    pub seed: u64,
    /// How points are chosen.
    pub sampler: Sampler,
    /// The ranges that every arm tries, by the path of the field in the arm: `optimizer.learning_rate` for a field of
    /// `train`, `method.learning_rate` for one of `method`.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, RangeSpec>))]
    pub space: Space,
    /// Early stopping of trials; every trial runs to its end without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub halving: Option<Halving>,
}

impl TuneSpec {
    /// Number of runs of each arm: every trial with every seed.
    pub(crate) fn runs(&self) -> usize {
        self.trials as usize * self.seeds.len()
    }
}

/// How points are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Sampler {
    /// A Sobol sequence with Owen scrambling, which covers the space evenly with any number of points.
    Sobol,
    /// Every combination of evenly spaced values.
    Grid,
}

/// The tuning that the arms of an experiment share, while they are read.
pub(crate) struct Tuning {
    pub(crate) spec: TuneSpec,
    /// The tuned fields. Their places are their dimensions.
    pub(crate) dimensions: Vec<String>,
    /// Whether the table is free of mistakes.
    pub(crate) is_sound: bool,
}

impl Tuning {
    /// Reads the table `tune` of an experiment; `None` if there is none.
    pub(crate) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        if !fields.has("tune") {
            return None;
        }
        let before = fields.mistakes();
        let spec = fields.table("tune", None, |tune| TuneSpec {
            trials: tune.integer("trials", None, 1..=MOST_TRIALS),
            seeds: read_seeds(tune, Seeds::OfTrials(SEEDS.to_vec())),
            seed: tune.integer("seed", Some(0), 0..=u64::from(u32::MAX)),
            sampler: tune.choice("sampler", Some(Sampler::Sobol)),
            space: tune.tables("space", RangeSpec::read),
            halving: tune.has("halving").then(|| tune.table("halving", None, Halving::read)),
        });
        let own = fields.raw("arms").and_then(Value::as_array).into_iter().flatten();
        let own = own.filter_map(|arm| arm.get("tune")?.as_object());
        let own = own.map(|tune| tune.keys().collect::<BTreeSet<_>>());
        let dimensions = dimensions(spec.space.keys(), own);
        if dimensions.len() > MOST_FIELDS {
            let count = dimensions.len();
            fields.wrong("tune", format!("tunes {count} fields; at most {MOST_FIELDS} are allowed"));
        }
        Some(Self { spec, dimensions, is_sound: fields.mistakes() == before })
    }

    /// The tuning of an experiment whose arms have these spaces.
    pub(crate) fn of<'a>(spec: &'a TuneSpec, spaces: impl Iterator<Item = &'a Space>) -> Self {
        let dimensions = dimensions(spec.space.keys(), spaces.map(Space::keys));
        Self { spec: spec.clone(), dimensions, is_sound: true }
    }
}

/// The fields of all arms first, then those of single arms in the order of the arms, so that arms that are added later
/// do not change the points of the others. Each iterator is in alphabetical order.
fn dimensions<'a, Keys: IntoIterator<Item = &'a String>>(
    shared: impl Iterator<Item = &'a String>,
    own: impl Iterator<Item = Keys>,
) -> Vec<String> {
    let mut dimensions: Vec<String> = shared.cloned().collect();
    for path in own.flatten() {
        if !dimensions.contains(path) {
            dimensions.push(path.clone());
        }
    }
    dimensions
}

#[cfg(test)]
mod tests;
