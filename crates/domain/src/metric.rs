//! The metrics by which arms are compared: their words, units and directions.

use crate::series;
use crate::word::words;

words! {
    /// A final figure of a run.
    pub enum Metric {
        /// At the last evaluation.
        TestError,
        /// At the evaluation that was best on the test set itself.
        BestTestError,
        /// Mean of the last evaluations.
        LastTestError,
        /// At the last evaluation.
        TestAccuracy,
        /// At the evaluation that was best on the test set itself.
        BestTestAccuracy,
        /// Mean of the last evaluations.
        LastTestAccuracy,
        /// At the last evaluation, on images held out of the training set.
        ValidationError,
        /// At the evaluation that was best on the validation set.
        BestValidationError,
        /// Mean of the last evaluations.
        LastValidationError,
        /// At the last evaluation, on images held out of the training set.
        ValidationAccuracy,
        /// At the evaluation that was best on the validation set.
        BestValidationAccuracy,
        /// Mean of the last evaluations.
        LastValidationAccuracy,
        /// The last `energy/mean`.
        Energy,
        /// Wall time.
        Seconds,
        /// Peak memory: of the runner's process on a CPU, of its tensors on a GPU.
        PeakMemory,
        /// Number of trained parameters.
        ParametersTrained,
    }
}

/// Images on which a network is evaluated, not trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldOut {
    /// The test set of the data set.
    Test,
    /// The part of the training set that `data.validation` holds out.
    Validation,
}

/// Evaluations of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evaluations {
    /// The last one.
    Final,
    /// The one with the highest accuracy.
    Best,
    /// The mean of several at the end.
    Last,
}

/// A figure from evaluations: an accuracy or an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// Whose images are classified.
    pub set: HeldOut,
    /// Which evaluations count.
    pub of: Evaluations,
    /// Whether it is an error, and not an accuracy.
    pub is_error: bool,
}

impl HeldOut {
    /// The series of its accuracies.
    pub fn accuracy(self) -> &'static str {
        match self {
            Self::Test => series::TEST_ACCURACY,
            Self::Validation => series::VALIDATION_ACCURACY,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Validation => "validation",
        }
    }
}

impl Metric {
    /// The evaluations behind it; `None` if it is no accuracy or error.
    pub fn evaluated(self) -> Option<Evaluated> {
        use Evaluations::{Best, Final, Last};
        use HeldOut::{Test, Validation};
        let (set, of, is_error) = match self {
            Self::TestError => (Test, Final, true),
            Self::BestTestError => (Test, Best, true),
            Self::LastTestError => (Test, Last, true),
            Self::TestAccuracy => (Test, Final, false),
            Self::BestTestAccuracy => (Test, Best, false),
            Self::LastTestAccuracy => (Test, Last, false),
            Self::ValidationError => (Validation, Final, true),
            Self::BestValidationError => (Validation, Best, true),
            Self::LastValidationError => (Validation, Last, true),
            Self::ValidationAccuracy => (Validation, Final, false),
            Self::BestValidationAccuracy => (Validation, Best, false),
            Self::LastValidationAccuracy => (Validation, Last, false),
            Self::Energy | Self::Seconds | Self::PeakMemory | Self::ParametersTrained => return None,
        };
        Some(Evaluated { set, of, is_error })
    }

    /// Unit of its values, empty for a pure number.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Energy | Self::ParametersTrained => "",
            Self::Seconds => "s",
            Self::PeakMemory => "bytes",
            _ => "%",
        }
    }

    /// Whether higher is better; `None` if neither direction is.
    pub fn higher_is_better(self) -> Option<bool> {
        match (self.evaluated(), self) {
            (Some(evaluated), _) => Some(!evaluated.is_error),
            (None, Self::Seconds | Self::PeakMemory) => Some(false),
            (None, _) => None,
        }
    }

    /// Whether the evaluation was selected on the test set, which biases the figure.
    pub fn is_selected_on_test_set(self) -> bool {
        matches!(self, Self::BestTestError | Self::BestTestAccuracy)
    }

    /// Whether it is a mean of the last evaluations.
    pub fn is_mean_of_last(self) -> bool {
        self.evaluated().is_some_and(|evaluated| evaluated.of == Evaluations::Last)
    }

    /// The heading of a column of its values.
    pub fn heading(self) -> String {
        let Some(evaluated) = self.evaluated() else {
            return match self {
                Self::PeakMemory => "peak memory MB".to_owned(),
                other => other.to_string().replace('_', " "),
            };
        };
        let name = evaluated.name();
        match evaluated.of {
            Evaluations::Final => format!("{name} %"),
            Evaluations::Best => format!("best {name} %{}", self.selection()),
            Evaluations::Last => format!("last {} %", evaluated.plural()),
        }
    }

    fn selection(self) -> &'static str {
        if self.is_selected_on_test_set() { " (selected on the test set)" } else { "" }
    }

    /// A value as the column shows it.
    pub fn shown(self, value: f64) -> String {
        match self {
            Self::Energy => format!("{value:.4}"),
            Self::Seconds => format!("{value:.1}"),
            Self::PeakMemory => format!("{:.1}", value / 1e6),
            Self::ParametersTrained => format!("{value:.0}"),
            _ => format!("{value:.2}"),
        }
    }

    /// A difference as the column shows it, with its sign.
    pub fn shown_difference(self, value: f64) -> String {
        let shown = self.shown(value);
        if shown.starts_with('-') { shown } else { format!("+{shown}") }
    }

    /// The unit of [`shown`](Self::shown) in a sentence.
    pub fn counted(self) -> String {
        let Some(evaluated) = self.evaluated() else {
            return match self {
                Self::Energy => "of energy",
                Self::Seconds => "s of training time",
                Self::PeakMemory => "MB of peak memory",
                _ => "trained parameters",
            }
            .to_owned();
        };
        let points = format!("points of {}", evaluated.name());
        match evaluated.of {
            Evaluations::Final => points,
            Evaluations::Best => format!("{points} at its best epoch"),
            Evaluations::Last => format!("{points} over the last evaluations"),
        }
    }
}

impl Evaluated {
    /// `test error`, `validation accuracy`, ...
    fn name(self) -> String {
        format!("{} {}", self.set.word(), if self.is_error { "error" } else { "accuracy" })
    }

    fn plural(self) -> String {
        format!("{} {}", self.set.word(), if self.is_error { "errors" } else { "accuracies" })
    }

    /// The figure of an accuracy in percent.
    pub fn of_accuracy(self, accuracy: f64) -> f64 {
        if self.is_error { series::error_of(accuracy) } else { accuracy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_a_sign() {
        assert_eq!(Metric::TestError.shown_difference(0.5), "+0.50");
        assert_eq!(Metric::PeakMemory.shown_difference(-2_500_000.0), "-2.5");
    }

    #[test]
    fn headings_and_sentences_name_the_set() {
        let of = |metric: Metric| (metric.heading(), metric.counted());
        let pair = |heading: &str, counted: &str| (heading.to_owned(), counted.to_owned());
        assert_eq!(of(Metric::TestError), pair("test error %", "points of test error"));
        assert_eq!(
            of(Metric::BestTestError),
            pair("best test error % (selected on the test set)", "points of test error at its best epoch")
        );
        assert_eq!(
            of(Metric::BestValidationAccuracy),
            pair("best validation accuracy %", "points of validation accuracy at its best epoch")
        );
        assert_eq!(
            of(Metric::LastValidationError),
            pair("last validation errors %", "points of validation error over the last evaluations")
        );
        assert_eq!(of(Metric::ParametersTrained), pair("parameters trained", "trained parameters"));
        assert_eq!(Metric::ValidationError.evaluated().unwrap().of_accuracy(97.5), 2.5);
    }
}
