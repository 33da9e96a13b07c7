//! The invariants of OPT: the energy of frozen neurons, and an orthogonal rotation.

use optlab_api_types::Warning;
use optlab_domain::WarningKind;
use optlab_domain::series::{self, LayerFigure};
use optlab_spec::{Arm, MethodSpec, Precision};

use crate::store::{Cell, Curve};

/// The largest drift of an energy, as a share of the energy at the start, and the largest max |R^T R - I| without a
/// warning. Rounding in float32 stays below a hundredth of it; TF32 rounds the factors of a product to 11 bits, which
/// alone makes an orthogonality error of some 1e-3.
fn tolerance(precision: Precision) -> f64 {
    match precision {
        // The rotations of a job in bfloat16 are computed in float32.
        Precision::Float32 | Precision::Bfloat16 => 1e-3,
        Precision::Tf32 => 1e-2,
    }
}

/// The warning for a curve of one layer, if it violates an invariant of its arm.
pub(super) fn warn(arm: &Arm, cell: &Cell, curve: &Curve, name: &str) -> Option<Warning> {
    let MethodSpec::Opt(opt) = &arm.method else { return None };
    let (figure, layer) = series::of_layer(name)?;
    let promised = opt.layers.holds(layer)
        && match figure {
            LayerFigure::Energy => opt.keeps_energy(),
            LayerFigure::OrthogonalityError => opt.is_orthogonal(),
        };
    let start = curve.points().first()?.value;
    let low = curve.buckets.iter().map(|bucket| bucket.low.value).fold(f64::INFINITY, f64::min);
    let high = curve.buckets.iter().map(|bucket| bucket.high.value).fold(f64::NEG_INFINITY, f64::max);
    let tolerance = tolerance(arm.train.precision);
    let (value, what) = match figure {
        LayerFigure::Energy => {
            let drift = (high - start).max(start - low) / start.abs();
            let percent = 100.0 * drift;
            (drift, format!("the energy of layer `{layer}` moved by {percent:.2}%"))
        }
        LayerFigure::OrthogonalityError => {
            (high, format!("in layer `{layer}` max |R^T R - I| reached {high:.1e}"))
        }
    };
    let detail =
        format!("{what}: the rotation, which {} keeps orthogonal, is no longer orthogonal", arm.method);
    (promised && value > tolerance).then(|| Warning {
        kind: WarningKind::InvariantBroken,
        job_id: cell.job,
        arm: cell.arm.clone(),
        seed: cell.seed,
        series: name.to_owned(),
        value,
        tolerance,
        detail,
    })
}

#[cfg(test)]
mod tests {
    use optlab_domain::JobId;
    use optlab_spec::submission;
    use serde_json::json;

    use super::*;
    use crate::stats::CurvePoint;

    /// The digits recipe's arm `opt-cayley` with these fields changed.
    fn warning(method: serde_json::Value, series: &str, values: [f64; 3]) -> Option<Warning> {
        warning_at("float32", method, series, values)
    }

    fn warning_at(
        precision: &str,
        method: serde_json::Value,
        series: &str,
        values: [f64; 3],
    ) -> Option<Warning> {
        let kind = json!({ "kind": "opt", "transform": "cayley" });
        let arms = json!([{ "name": "opt", "method": optlab_spec::merge(kind, &method) }]);
        let spec = json!({ "recipe": "digits-mlp", "overrides": { "train": { "precision": precision }, "arms": arms } });
        let spec = submission::resolve(&spec).unwrap();
        let points = (0..).zip(values).map(|(step, value)| CurvePoint { step, value }.into());
        let curve = Curve { buckets: points.collect(), ..Curve::default() };
        let cell = Cell { job: JobId::from(7), arm: "opt".to_owned(), seed: 0 };
        warn(&spec.arms[0], &cell, &curve, series)
    }

    #[test]
    fn a_rotation_that_is_no_longer_orthogonal_is_reported() {
        let drifted = warning(json!({}), "energy/hidden1", [1.0, 0.998, 1.0]).unwrap();
        assert_eq!((drifted.job_id, drifted.tolerance), (JobId::from(7), 1e-3));
        assert!((drifted.value - 0.002).abs() < 1e-12, "{}", drifted.value);
        assert!(drifted.detail.contains("hidden1") && drifted.detail.contains("0.20%"), "{}", drifted.detail);
        assert!(warning(json!({}), "orthogonality_error/hidden1", [0.0, 0.1, 0.0]).is_some());
    }

    #[test]
    fn the_rounding_of_tf32_gives_no_warning() {
        let error = |precision, high| {
            warning_at(precision, json!({}), "orthogonality_error/hidden1", [0.0, high, 0.0]).is_some()
        };
        assert!(
            error("float32", 3e-3) && error("bfloat16", 3e-3) && !error("tf32", 3e-3) && error("tf32", 0.1)
        );
    }

    #[test]
    fn rounding_and_series_without_an_invariant_give_no_warning() {
        assert!(warning(json!({}), "energy/hidden1", [1.0, 1.000_001, 1.0]).is_none());
        assert!(warning(json!({}), "orthogonality_error/hidden1", [0.0, 5e-6, 0.0]).is_none());
        assert!(warning(json!({}), "energy/mean", [1.0, 2.0, 3.0]).is_none());
        assert!(warning(json!({}), "test/accuracy", [1.0, 2.0, 3.0]).is_none());
        assert!(warning(json!({ "transform": "relaxed" }), "energy/hidden1", [1.0, 2.0, 3.0]).is_none());
        assert!(warning(json!({ "neurons": "learned" }), "energy/hidden1", [1.0, 2.0, 3.0]).is_none());
    }
}
