//! Choices at the end of what was tried, where a wider range may hold a better value.

use optlab_spec::{RangeSpec, Space};
use serde_json::Value;

use crate::store::Candidate;

/// Minimum number of different values of a field. Of two, one is always at an end.
const FEWEST_VALUES: usize = 3;

/// A warning for each chosen value that is the smallest or the largest of those that were tried.
pub(super) fn warnings(
    arm: &str,
    space: &Space,
    chosen: Option<i64>,
    candidates: &[Candidate],
) -> Vec<String> {
    let Some(best) = candidates.iter().find(|candidate| Some(candidate.trial) == chosen) else {
        return Vec::new();
    };
    let warning = |(path, value): (&String, &Value)| {
        let mut tried: Vec<f64> = candidates.iter().filter_map(|one| one.point.get(path)?.as_f64()).collect();
        tried.sort_by(f64::total_cmp);
        tried.dedup();
        let value = value.as_f64().filter(|_| tried.len() >= FEWEST_VALUES)?;
        let end = match (tried.first() == Some(&value), tried.last() == Some(&value)) {
            (true, _) => "smallest",
            (_, true) => "largest",
            _ => return None,
        };
        let advice = match space.get(path) {
            Some(RangeSpec::Values { .. }) => "list values beyond it",
            _ => "widen the range",
        };
        Some(format!("the best {path} of {arm}, {value}, is the {end} tried: {advice}"))
    };
    best.point.iter().filter_map(warning).collect()
}

#[cfg(test)]
mod tests {
    use optlab_spec::Scale;
    use serde_json::json;

    use super::*;

    fn candidates(values: &[f64]) -> Vec<Candidate> {
        let candidate = |(trial, value): (i64, &f64)| Candidate {
            trial,
            point: [("optimizer.learning_rate".to_owned(), json!(value))].into(),
            score: Some(1.0),
            runs: Vec::new(),
        };
        (0..).zip(values).map(candidate).collect()
    }

    #[test]
    fn a_choice_at_the_end_of_what_was_tried_is_reported() {
        let rates = candidates(&[0.1, 0.01, 1.0]);
        let interval = RangeSpec::Interval { from: 0.001, to: 10.0, scale: Scale::Log };
        let space = Space::from([("optimizer.learning_rate".to_owned(), interval)]);
        let of = |trial| warnings("opt", &space, Some(trial), &rates);
        assert!(of(0).is_empty());
        assert_eq!(
            of(1),
            ["the best optimizer.learning_rate of opt, 0.01, is the smallest tried: widen the range"]
        );
        assert_eq!(
            of(2),
            ["the best optimizer.learning_rate of opt, 1, is the largest tried: widen the range"]
        );
        assert!(warnings("opt", &space, None, &rates).is_empty());
        assert!(
            warnings("opt", &space, Some(0), &candidates(&[0.1, 0.2])).is_empty(),
            "one of two is always at an end"
        );
        let listed = RangeSpec::Values { values: vec![json!(0.01), json!(0.1), json!(1.0)] };
        let space = Space::from([("optimizer.learning_rate".to_owned(), listed)]);
        assert!(
            warnings("opt", &space, Some(2), &rates)[0]
                .ends_with("is the largest tried: list values beyond it")
        );
    }
}
