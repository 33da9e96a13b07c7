//! One line of a chart: the mean of an arm over its seeds, with its band.

use optlab_api_types::Band;

/// The lowest and the highest value of something.
pub(super) type Range = (f64, f64);

/// The mean of one arm at each step.
#[derive(Clone)]
pub(super) struct Line {
    /// Place of the arm in the experiment.
    pub(super) arm: usize,
    pub(super) x: Vec<f64>,
    pub(super) mean: Vec<f64>,
    /// Sample standard deviation; `None` for a single seed.
    pub(super) std: Vec<Option<f64>>,
    /// Number of seeds of each mean.
    pub(super) n: Vec<usize>,
    /// Values that the band does not exceed.
    pub(super) limits: Range,
}

impl Line {
    pub(super) fn new(arm: usize, band: &Band) -> Self {
        Self {
            arm,
            x: band.steps.iter().map(|&step| step as f64).collect(),
            mean: band.mean.clone(),
            std: band.std.clone(),
            n: band.n.clone(),
            limits: (f64::NEG_INFINITY, f64::INFINITY),
        }
    }

    /// The lower end of the band.
    pub(super) fn low(&self, index: usize) -> f64 {
        let mean = self.mean[index];
        mean.min((mean - self.std[index].unwrap_or_default()).max(self.limits.0))
    }

    /// The upper end of the band.
    pub(super) fn high(&self, index: usize) -> f64 {
        let mean = self.mean[index];
        mean.max((mean + self.std[index].unwrap_or_default()).min(self.limits.1))
    }

    /// The same without a band.
    pub(super) fn without_band(&self) -> Self {
        Self { std: vec![None; self.std.len()], ..self.clone() }
    }

    /// The points above zero, which have a logarithm.
    pub(super) fn positive(&self) -> Self {
        let at: Vec<usize> = (0..self.x.len()).filter(|&index| self.mean[index] > 0.0).collect();
        fn kept<T: Copy>(at: &[usize], all: &[T]) -> Vec<T> {
            at.iter().map(|&index| all[index]).collect()
        }
        Self {
            x: kept(&at, &self.x),
            mean: kept(&at, &self.mean),
            std: kept(&at, &self.std),
            n: kept(&at, &self.n),
            ..*self
        }
    }

    /// The parts of the line that have all of its seeds, and those that have fewer, as ranges of points. Neighbouring
    /// parts share a point.
    pub(super) fn pieces(&self) -> Vec<(std::ops::Range<usize>, bool)> {
        let most = self.n.iter().copied().max().unwrap_or_default();
        let mut pieces: Vec<(std::ops::Range<usize>, bool)> = Vec::new();
        for (index, &seeds) in self.n.iter().enumerate() {
            let all_seeds = seeds == most;
            match pieces.last_mut() {
                Some((piece, same)) if *same == all_seeds => piece.end = index + 1,
                // A segment from or to a mean of fewer seeds is drawn as thin as that mean.
                Some((piece, _)) if all_seeds => {
                    piece.end = index + 1;
                    pieces.push((index..index + 1, true));
                }
                Some(_) => pieces.push((index - 1..index + 1, false)),
                None => pieces.push((index..index + 1, all_seeds)),
            }
        }
        pieces
    }

    /// The ranges of points that have a standard deviation.
    pub(super) fn banded(&self) -> Vec<std::ops::Range<usize>> {
        let runs = (0..self.std.len()).collect::<Vec<_>>();
        let runs = runs.chunk_by(|&a, &b| self.std[a].is_some() == self.std[b].is_some());
        runs.filter(|run| self.std[run[0]].is_some()).map(|run| run[0]..run[run.len() - 1] + 1).collect()
    }
}

/// The limits of values in a unit: a percentage is at most 100, and no measure without negative values is below zero.
pub(super) fn limits_of(unit: &str, lines: &[Line]) -> Range {
    let negative = lines.iter().flat_map(|line| &line.mean).any(|&value| value < 0.0);
    (if negative { f64::NEG_INFINITY } else { 0.0 }, if unit == "%" { 100.0 } else { f64::INFINITY })
}
