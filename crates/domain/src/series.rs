//! The named curves of a job, with their units.

/// Loss of the training batches, label smoothing included.
pub const TRAIN_LOSS: &str = "train/loss";
/// Share of the training batch that is classified correctly, in percent.
pub const TRAIN_ACCURACY: &str = "train/accuracy";
/// Cross-entropy over the test set, without label smoothing.
pub const TEST_LOSS: &str = "test/loss";
/// Share of the test set that is classified correctly, in percent.
pub const TEST_ACCURACY: &str = "test/accuracy";
/// Cross-entropy over the held-out part of the training set, without label smoothing.
pub const VALIDATION_LOSS: &str = "validation/loss";
/// Share of the held-out part of the training set that is classified correctly, in percent.
pub const VALIDATION_ACCURACY: &str = "validation/accuracy";
/// Unweighted mean of the energies of the method layers.
pub const ENERGY_MEAN: &str = "energy/mean";
/// The optimizer's rate after the schedule.
pub const LEARNING_RATE: &str = "learning_rate";
/// Training throughput, without evaluation.
pub const SAMPLES_PER_SECOND: &str = "samples_per_second";

/// Energy of one layer: mean over its pairs of neurons.
pub fn energy(layer: &str) -> String {
    format!("energy/{layer}")
}

/// max |R^T R - I| of one layer or, if R is never formed, the drift of its Gram matrix.
pub fn orthogonality_error(layer: &str) -> String {
    format!("orthogonality_error/{layer}")
}

/// A figure that has a series for each layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerFigure {
    /// See [`energy`].
    Energy,
    /// See [`orthogonality_error`].
    OrthogonalityError,
}

/// The figure and the layer of a series by its name; `None` for a series of no layer.
pub fn of_layer(name: &str) -> Option<(LayerFigure, &str)> {
    match name.split_once('/')? {
        ("energy", layer) if name != ENERGY_MEAN => Some((LayerFigure::Energy, layer)),
        ("orthogonality_error", layer) => Some((LayerFigure::OrthogonalityError, layer)),
        _ => None,
    }
}

/// Whether a series is the energy of a layer or their mean.
pub fn is_energy(name: &str) -> bool {
    name == ENERGY_MEAN || matches!(of_layer(name), Some((LayerFigure::Energy, _)))
}

/// The error of an accuracy, both in percent.
pub fn error_of(accuracy: f64) -> f64 {
    100.0 - accuracy
}

/// Unit and direction of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// Unit of the values; empty for a pure number.
    pub unit: &'static str,
    /// Whether higher values are better; `None` if neither direction is.
    pub higher_is_better: Option<bool>,
}

/// Unit and direction of a series by its name.
pub fn about(name: &str) -> About {
    let (unit, higher_is_better) = match name {
        TRAIN_ACCURACY | TEST_ACCURACY | VALIDATION_ACCURACY => ("%", Some(true)),
        TRAIN_LOSS | TEST_LOSS | VALIDATION_LOSS => ("nat", Some(false)),
        SAMPLES_PER_SECOND => ("samples/s", Some(true)),
        _ if matches!(of_layer(name), Some((LayerFigure::OrthogonalityError, _))) => ("", Some(false)),
        _ => ("", None),
    };
    About { unit, higher_is_better }
}

/// Whether runners record series of this name.
pub fn is_known(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    always(name).is_some()
        || [VALIDATION_LOSS, VALIDATION_ACCURACY].contains(&name)
        || of_layer(name)
            .is_some_and(|(_, layer)| (1..=100).contains(&layer.len()) && layer.bytes().all(fits))
}

/// As [`about`], for a series that every job has.
pub fn always(name: &str) -> Option<About> {
    [TRAIN_LOSS, TRAIN_ACCURACY, TEST_LOSS, TEST_ACCURACY, ENERGY_MEAN, LEARNING_RATE, SAMPLES_PER_SECOND]
        .contains(&name)
        .then(|| about(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_series_of_runners_are_known() {
        for name in
            [TEST_LOSS, VALIDATION_ACCURACY, &energy("block2_3_conv1"), &orthogonality_error("hidden1")]
        {
            assert!(is_known(name), "{name}");
        }
        for name in ["", "energy/", "energy/a b", "energy/\0", "test", "mine/loss", &energy(&"x".repeat(101))]
        {
            assert!(!is_known(name), "{name}");
        }
    }
}
