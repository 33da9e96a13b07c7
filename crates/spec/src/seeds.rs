//! Lists of seeds.

use crate::fields::{Fields, integer_item};
use crate::problem::Problems;

/// Maximum number of jobs of an experiment, and so of its seeds.
pub const MOST_JOBS: usize = 10_000;

/// What to do if no seeds are given.
pub(crate) enum Seeds {
    /// The seed 0.
    OfRuns,
    /// These.
    OfTrials(Vec<u64>),
    /// It is a mistake.
    Required,
}

pub(crate) fn read_seeds(fields: &mut Fields<'_>, default: Seeds) -> Vec<u64> {
    // An invalid seed is left out, so that it is not reported as repeated too.
    let seed = |value: &_, pointer: &str, problems: &mut Problems| {
        let before = problems.total;
        let seed = integer_item(value, pointer, problems, 0..=u64::from(u32::MAX));
        (problems.total == before).then_some(seed)
    };
    let default = match default {
        Seeds::OfRuns => Some(vec![0]),
        Seeds::OfTrials(seeds) => Some(seeds),
        Seeds::Required => None,
    };
    let default = default.map(|seeds| seeds.into_iter().map(Some).collect());
    let seeds: Vec<u64> = fields.list("seeds", default, 1..=MOST_JOBS, seed).into_iter().flatten().collect();
    if let Some(twice) = repeated(&seeds) {
        fields.wrong("seeds", format!("must be unique; {twice} is repeated"));
    }
    seeds
}

/// An item that is in the list more than once.
pub(crate) fn repeated<T: Ord + Clone>(items: &[T]) -> Option<T> {
    let mut sorted = items.to_vec();
    sorted.sort();
    sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone())
}
