//! The figures of a run in one line.

use optlab_domain::series;
use optlab_spec::protocol::Point;

/// The last value of the main series.
#[derive(Default)]
pub(super) struct Figures {
    train_loss: Option<f64>,
    test_loss: Option<f64>,
    test_accuracy: Option<f64>,
    energy: Option<f64>,
}

impl Figures {
    pub(super) fn note(&mut self, point: &Point) {
        let last = match point.series.as_str() {
            series::TRAIN_LOSS => &mut self.train_loss,
            series::TEST_LOSS => &mut self.test_loss,
            series::TEST_ACCURACY => &mut self.test_accuracy,
            series::ENERGY_MEAN => &mut self.energy,
            _ => return,
        };
        *last = Some(point.value);
    }

    /// A short form for a line with a progress bar and the remaining time.
    pub(super) fn in_short(&self) -> String {
        let loss = self.train_loss.map(|loss| format!("loss {loss:.4}"));
        let accuracy = self.test_accuracy.map(|percent| format!("test {percent:.2}%"));
        let energy = self.energy.map(|energy| format!("energy {energy:.5}"));
        [loss, accuracy, energy].into_iter().flatten().collect::<Vec<_>>().join("  ")
    }

    pub(super) fn in_full(&self) -> String {
        let shown = |name, value: Option<f64>| value.map(|value| format!("{name} {value:.4}"));
        let accuracy = self.test_accuracy.map(|percent| format!("test accuracy {percent:.2}%"));
        let figures = [
            shown("train loss", self.train_loss),
            shown("test loss", self.test_loss),
            accuracy,
            shown("energy", self.energy),
        ];
        figures.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_line_fits_in_eighty_columns() {
        let mut figures = Figures::default();
        assert_eq!(figures.in_full(), "");
        let values =
            [(series::TRAIN_LOSS, 12.34567), (series::TEST_ACCURACY, 100.0), (series::ENERGY_MEAN, 0.71)];
        for (series, value) in values {
            figures.note(&Point { series: series.to_owned(), step: 1, value, time_ms: 0 });
        }
        assert_eq!(figures.in_short(), "loss 12.3457  test 100.00%  energy 0.71000");
        assert_eq!(figures.in_full(), "train loss 12.3457, test accuracy 100.00%, energy 0.7100");
        // Two long numbers of steps, and the remaining time.
        assert!(figures.in_short().len() + "100000/100000".len() + "59m left".len() + 5 < 80);
    }
}
