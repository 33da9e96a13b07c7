//! Jobs that look healthy and have learned nothing.

use optlab_api_types::Warning;
use optlab_domain::{WarningKind, series};
use optlab_spec::Arm;

use crate::store::{Cell, Curve};

/// Maximum number of buckets in which a curve is read.
pub(super) const BUCKETS: usize = 20;
/// Minimum number of buckets by which a loss is judged.
const FEWEST_BUCKETS: usize = 8;
/// The largest deviation from the expected accuracy of guessing that chance explains, in standard deviations.
const NOISE: f64 = 3.0;

/// The warning for a run whose final accuracy is that of guessing.
///
/// Guesses are right with probability 1 / k for k classes, so their number has a binomial distribution.
pub(super) fn at_chance(arm: &Arm, cell: &Cell, curve: &Curve, accuracy: f64) -> Option<Warning> {
    let (classes, images) = (arm.train.data.task()?.classes as f64, arm.train.data.sizes()?.test as f64);
    let chance = 1.0 / classes;
    let tolerance = 100.0 * (chance + NOISE * (chance * (1.0 - chance) / images).sqrt());
    if accuracy > tolerance {
        return None;
    }
    let mut detail = format!(
        "the final accuracy of {accuracy:.2}% is that of guessing: {:.2}% for {classes} classes, and up to \
         {tolerance:.2}% by chance",
        100.0 * chance
    );
    // The first evaluation is that of the untrained network.
    let trained: Vec<f64> = curve.points().iter().skip(1).map(|point| point.value).collect();
    if trained.len() > 2 && trained.iter().all(|value| *value == trained[0]) {
        detail.push_str("; every evaluation gave the same, as if all images were taken for one class");
    }
    Some(Warning {
        kind: WarningKind::AtChance,
        job_id: cell.job,
        arm: cell.arm.clone(),
        seed: cell.seed,
        series: series::TEST_ACCURACY.to_owned(),
        value: accuracy,
        tolerance,
        detail,
    })
}

/// The warning for a run whose last losses are all higher than its first one.
pub(super) fn loss_rose(cell: &Cell, curve: &Curve) -> Option<Warning> {
    let (start, last) = (curve.points().first()?.value, curve.buckets.last()?);
    if curve.buckets.len() < FEWEST_BUCKETS || last.low.value <= start {
        return None;
    }
    Some(Warning {
        kind: WarningKind::LossRose,
        job_id: cell.job,
        arm: cell.arm.clone(),
        seed: cell.seed,
        series: series::TRAIN_LOSS.to_owned(),
        value: last.low.value,
        tolerance: start,
        detail: format!(
            "the training loss rose: it began at {start:.3}, and the lowest of its last values is {:.3}",
            last.low.value
        ),
    })
}

#[cfg(test)]
mod tests {
    use optlab_domain::JobId;
    use optlab_spec::submission;
    use serde_json::json;

    use super::*;
    use crate::stats::CurvePoint;

    fn cell() -> Cell {
        Cell { job: JobId::from(7), arm: "baseline".to_owned(), seed: 0 }
    }

    fn curve(values: &[f64]) -> Curve {
        let points = (0..).zip(values).map(|(step, &value)| CurvePoint { step, value }.into());
        Curve { buckets: points.collect(), ..Curve::default() }
    }

    /// The warning of a run on digits, which have ten classes and 355 test images.
    fn chance(accuracy: f64, evaluations: &[f64]) -> Option<String> {
        let spec = submission::resolve(&json!({ "recipe": "digits-mlp" })).unwrap();
        at_chance(&spec.arms[0], &cell(), &curve(evaluations), accuracy).map(|warning| warning.detail)
    }

    #[test]
    fn the_accuracy_of_guessing_is_reported() {
        let detail = chance(10.14, &[8.2, 10.1, 10.4, 10.14]).unwrap();
        assert_eq!(
            detail,
            "the final accuracy of 10.14% is that of guessing: 10.00% for 10 classes, and up to 14.78% by chance"
        );
        assert!(chance(14.7, &[]).is_some() && chance(3.0, &[]).is_some());
        assert_eq!(chance(14.8, &[]), None);
    }

    #[test]
    fn a_run_that_always_answers_the_same_is_reported_as_such() {
        assert!(chance(10.14, &[8.2, 10.14, 10.14, 10.14]).unwrap().ends_with("for one class"));
        assert!(
            !chance(10.14, &[10.14, 10.14, 10.14]).unwrap().ends_with("for one class"),
            "of two evaluations"
        );
    }

    #[test]
    fn a_loss_that_rose_is_reported() {
        let falling: Vec<f64> = (0..10).map(|step| 2.3 - 0.1 * f64::from(step)).collect();
        let rising: Vec<f64> = (0..10).map(|step| 2.3 + 0.1 * f64::from(step)).collect();
        assert!(loss_rose(&cell(), &curve(&falling)).is_none());
        assert!(loss_rose(&cell(), &curve(&rising[..7])).is_none(), "too early");
        let warning = loss_rose(&cell(), &curve(&rising)).unwrap();
        assert_eq!((warning.kind, warning.tolerance), (WarningKind::LossRose, 2.3));
        assert!(
            warning.detail.contains("began at 2.300") && warning.detail.ends_with("is 3.200"),
            "{warning:?}"
        );
    }
}
