//! The points of the trials: a pure function of the seed, the ranges of the arm and the number of the trial.

use super::range::RangeSpec;
use super::{Point, Sampler, Space, Tuning};

impl Tuning {
    /// The point of a trial of an arm with this space. `is_whole` tells which fields are integers.
    pub(crate) fn point(&self, space: &Space, trial: u64, is_whole: impl Fn(&str) -> bool) -> Point {
        let shares: Vec<f64> = match self.spec.sampler {
            Sampler::Sobol => space.keys().map(|path| self.sobol(path, trial)).collect(),
            Sampler::Grid => grid(space, self.spec.trials, trial),
        };
        let value = |((path, range), at): ((&String, &RangeSpec), f64)| {
            (path.clone(), range.value(at, is_whole(path)))
        };
        space.iter().zip(shares).map(value).collect()
    }

    /// The coordinate in the dimension of the field.
    fn sobol(&self, path: &str, trial: u64) -> f64 {
        let dimension = self.dimensions.iter().position(|known| known == path).unwrap_or_default();
        f64::from(sobol_burley::sample(trial as u32, dimension as u32, self.spec.seed as u32))
    }
}

/// The coordinates of one combination. Fields are counted like digits, the last one first.
fn grid(space: &Space, trials: u64, trial: u64) -> Vec<f64> {
    let levels = levels(space, trials).unwrap_or(1);
    let mut left = trial;
    let mut shares: Vec<f64> = space
        .values()
        .rev()
        .map(|range| {
            let count = range.listed().unwrap_or(levels);
            let digit = left % count;
            left /= count;
            match (range.listed(), count) {
                // The middle of the value's part.
                (Some(_), _) => (digit as f64 + 0.5) / count as f64,
                (None, 1) => 0.5,
                (None, _) => digit as f64 / (count - 1) as f64,
            }
        })
        .collect();
    shares.reverse();
    shares
}

/// The number of values of each interval, such that all combinations make `trials` points.
///
/// # Errors
/// Why there is no such number.
pub(super) fn levels(space: &Space, trials: u64) -> Result<u64, String> {
    let listed = space.values().filter_map(RangeSpec::listed).fold(1_u64, u64::saturating_mul);
    let intervals = space.values().filter(|range| range.listed().is_none()).count() as u32;
    let points = |levels: u64| listed.saturating_mul(levels.saturating_pow(intervals));
    if intervals == 0 {
        let right = format!("must be {listed} for a grid, the number of combinations of the values");
        return if listed == trials { Ok(1) } else { Err(right) };
    }
    let below = (1..=trials).take_while(|&levels| points(levels) <= trials).last();
    match below {
        Some(levels) if points(levels) == trials => Ok(levels),
        _ => {
            let levels = below.unwrap_or(0);
            let near: Vec<String> =
                [levels, levels + 1].iter().filter(|n| **n > 0).map(|n| points(*n).to_string()).collect();
            Err(format!("must be the number of points of a grid, such as {}", near.join(" or ")))
        }
    }
}
