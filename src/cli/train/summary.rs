//! `summary.json`: the figures of a complete run.

use optlab_domain::series;
use optlab_domain::time::as_rfc3339;
use optlab_spec::protocol::Summary;
use serde::{Deserialize, Serialize};

use super::points::Curves;
use crate::artifacts::sha256;
use crate::store::ResultsRecord;

/// Content of `summary.json`.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct RunSummary {
    /// What the runner reported.
    #[serde(flatten)]
    pub(super) run: Summary,
    /// Last loss of a training batch.
    train_loss: Option<f64>,
    /// Last loss on the test set.
    test_loss: Option<f64>,
    /// Final figures by the names that they have in the database.
    #[serde(flatten)]
    figures: Figures,
    #[serde(rename = "ended_at", with = "as_rfc3339")]
    pub(super) ended_ms: i64,
    /// SHA-256 of the points.
    pub(super) metrics_sha256: String,
}

/// Final figures; accuracies and errors in percent.
#[derive(Debug, Deserialize, Serialize)]
struct Figures {
    test_accuracy: Option<f64>,
    test_error: Option<f64>,
    best_test_accuracy: Option<f64>,
    validation_accuracy: Option<f64>,
    validation_error: Option<f64>,
    best_validation_accuracy: Option<f64>,
    energy: Option<f64>,
}

impl RunSummary {
    /// The summary of a run with these curves, whose file has these bytes.
    pub(super) fn new(run: Summary, curves: &Curves, points: &[u8], ended_ms: i64) -> Self {
        let ResultsRecord {
            test_accuracy,
            best_test_accuracy,
            test_error,
            validation_accuracy,
            best_validation_accuracy,
            validation_error,
            energy,
            ..
        } = results(&run, curves);
        Self {
            train_loss: last(curves, series::TRAIN_LOSS),
            test_loss: last(curves, series::TEST_LOSS),
            figures: Figures {
                test_accuracy,
                test_error,
                best_test_accuracy,
                validation_accuracy,
                validation_error,
                best_validation_accuracy,
                energy,
            },
            run,
            ended_ms,
            metrics_sha256: sha256(points),
        }
    }
}

/// The final figures of a run, as the store computes them from the points.
pub(super) fn results(run: &Summary, curves: &Curves) -> ResultsRecord {
    let best = |name: &str| curves.get(name)?.iter().map(|point| point.value).reduce(f64::max);
    let test_accuracy = last(curves, series::TEST_ACCURACY);
    let validation_accuracy = last(curves, series::VALIDATION_ACCURACY);
    ResultsRecord {
        test_accuracy,
        best_test_accuracy: best(series::TEST_ACCURACY),
        test_error: test_accuracy.map(series::error_of),
        validation_accuracy,
        best_validation_accuracy: best(series::VALIDATION_ACCURACY),
        validation_error: validation_accuracy.map(series::error_of),
        energy: last(curves, series::ENERGY_MEAN),
        seconds: Some(run.seconds),
        peak_memory_bytes: run.peak_memory_bytes.map(|bytes| bytes as i64),
    }
}

fn last(curves: &Curves, name: &str) -> Option<f64> {
    Some(curves.get(name)?.last()?.value)
}
