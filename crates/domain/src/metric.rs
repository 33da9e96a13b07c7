//! The metrics by which arms are compared: their words, units and directions.

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
        /// The last `energy/mean`.
        Energy,
        /// Wall time.
        Seconds,
        /// Peak resident memory of the runner, on a CPU.
        PeakMemory,
        /// Number of trained parameters.
        ParametersTrained,
    }
}

impl Metric {
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
        match self {
            Self::TestAccuracy | Self::BestTestAccuracy | Self::LastTestAccuracy => Some(true),
            Self::Energy | Self::ParametersTrained => None,
            _ => Some(false),
        }
    }

    /// Whether the evaluation was selected on the test set, which biases the figure.
    pub fn is_selected_on_test_set(self) -> bool {
        matches!(self, Self::BestTestError | Self::BestTestAccuracy)
    }

    /// Whether it is a mean of the last evaluations.
    pub fn is_mean_of_last(self) -> bool {
        matches!(self, Self::LastTestError | Self::LastTestAccuracy)
    }

    /// The heading of a column of its values.
    pub fn heading(self) -> &'static str {
        match self {
            Self::TestError => "test error %",
            Self::BestTestError => "best test error % (selected on the test set)",
            Self::LastTestError => "last test errors %",
            Self::TestAccuracy => "test accuracy %",
            Self::BestTestAccuracy => "best test accuracy % (selected on the test set)",
            Self::LastTestAccuracy => "last test accuracies %",
            Self::Energy => "energy",
            Self::Seconds => "seconds",
            Self::PeakMemory => "peak memory MB",
            Self::ParametersTrained => "parameters trained",
        }
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
    pub fn counted(self) -> &'static str {
        match self {
            Self::TestError => "points of test error",
            Self::BestTestError => "points of test error at its best epoch",
            Self::LastTestError => "points of test error over the last evaluations",
            Self::TestAccuracy => "points of test accuracy",
            Self::BestTestAccuracy => "points of test accuracy at its best epoch",
            Self::LastTestAccuracy => "points of test accuracy over the last evaluations",
            Self::Energy => "of energy",
            Self::Seconds => "s of training time",
            Self::PeakMemory => "MB of peak memory",
            Self::ParametersTrained => "trained parameters",
        }
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
}
