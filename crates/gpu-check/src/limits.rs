//! How the time of a run is divided.

use std::time::Duration;

use crate::part::Part;

/// Time that a part may need beyond its own to end, before it is killed.
pub const GRACE: Duration = Duration::from_secs(20);

/// The time of the first of `parts`, of what is `left` for all of them. A part that ends early leaves its time to the
/// others.
pub fn time_of_next(parts: &[Part], left: Duration, tiny: bool) -> Duration {
    let total: u32 = parts.iter().map(|part| part.weight(tiny)).sum();
    parts.first().map_or(Duration::ZERO, |first| left * first.weight(tiny) / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_gets_all_that_is_left() {
        let left = Duration::from_secs(100);
        assert_eq!(time_of_next(&[Part::Service], left, false), left);
        assert_eq!(time_of_next(&[], left, false), Duration::ZERO);
        let first = time_of_next(&Part::ALL, left, false);
        assert!(first > Duration::ZERO && first < left / 2, "{first:?}");
    }

    #[test]
    fn a_third_of_the_time_is_for_the_experiment_unless_sizes_are_tiny() {
        for (tiny, shares) in [(false, 0.33..0.35), (true, 0.0..0.1)] {
            let weight = |part: &Part| f64::from(part.weight(tiny));
            let share = weight(&Part::Experiment) / Part::ALL.iter().map(weight).sum::<f64>();
            assert!(shares.contains(&share), "{tiny}: {share}");
        }
    }
}
