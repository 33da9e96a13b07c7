//! Rounds in which everyone takes some steps in turn, so that a busy machine slows all alike.

use std::time::{Duration, Instant};

use optlab_runner::clock;

use crate::error::CheckError;

/// Something that takes training steps.
pub trait Stepper {
    /// The time that `count` steps take.
    ///
    /// # Errors
    /// Whatever stops them.
    fn steps(&mut self, count: u64) -> Result<Duration, CheckError>;
}

/// One of those that are compared.
pub struct Contestant {
    /// Its name in the table.
    pub name: String,
    /// What takes the steps, or why nothing does.
    pub stepper: Result<Box<dyn Stepper>, CheckError>,
}

/// What a contestant's step costs.
#[derive(Debug)]
pub struct Cost {
    /// Its name in the table.
    pub name: String,
    /// The figures, or why there are none.
    pub measured: Result<Measured, CheckError>,
}

/// The figures of a contestant: medians over rounds.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Of one step.
    pub milliseconds: f64,
    /// Its time over that of the first contestant in the same round.
    pub ratio: f64,
    /// Rounds that count.
    pub rounds: usize,
}

/// A measurement takes this long, or [`MOST_STEPS`] steps.
const MEASUREMENT: Duration = Duration::from_millis(20);
const MOST_STEPS: u64 = 10;

struct Running {
    stepper: Box<dyn Stepper>,
    /// Steps of a measurement.
    count: u64,
    /// Seconds per step, one per round.
    seconds: Vec<f64>,
}

/// With an end, a contestant whose measurement takes longer is measured in the first round only.
const SLOW: Duration = Duration::from_millis(500);

/// Warms everyone up, which the first steps on a GPU need, and measures up to `rounds` rounds; begins none after
/// `until` but the first. `progress` gets the number of each complete round.
pub fn compare(
    contestants: Vec<Contestant>,
    rounds: usize,
    until: Option<Instant>,
    mut progress: impl FnMut(usize),
) -> Vec<Cost> {
    let mut names = Vec::new();
    let mut all: Vec<Result<Running, CheckError>> = Vec::new();
    for Contestant { name, stepper } in contestants {
        names.push(name);
        all.push(stepper.and_then(warmed_up));
    }
    for round in 1..=rounds {
        if round > 1 && until.is_some_and(|until| clock::instant() >= until) {
            break;
        }
        for one in &mut all {
            let Ok(running) = one else { continue };
            if round > 1 && until.is_some() && running.is_slow() {
                continue;
            }
            match running.stepper.steps(running.count) {
                Ok(time) => running.seconds.push(time.as_secs_f64() / running.count as f64),
                Err(error) => *one = Err(error),
            }
        }
        progress(round);
    }
    let first = all.first().and_then(|first| Some(first.as_ref().ok()?.seconds.clone())).unwrap_or_default();
    let costs = names.into_iter().zip(all);
    costs.map(|(name, one)| Cost { name, measured: one.map(|running| measured(running, &first)) }).collect()
}

impl Running {
    fn is_slow(&self) -> bool {
        self.seconds.first().is_some_and(|seconds| seconds * self.count as f64 > SLOW.as_secs_f64())
    }
}

fn warmed_up(mut stepper: Box<dyn Stepper>) -> Result<Running, CheckError> {
    stepper.steps(1)?;
    let second = stepper.steps(1)?.as_secs_f64().max(1e-9);
    let count = ((MEASUREMENT.as_secs_f64() / second) as u64).clamp(1, MOST_STEPS);
    Ok(Running { stepper, count, seconds: Vec::new() })
}

fn measured(mut running: Running, first: &[f64]) -> Measured {
    let mut ratios: Vec<f64> = running.seconds.iter().zip(first).map(|(own, first)| own / first).collect();
    let rounds = running.seconds.len();
    Measured { milliseconds: 1e3 * median(&mut running.seconds), ratio: median(&mut ratios), rounds }
}

/// The median, NaN of none; sorts the values.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes this many milliseconds per step, and fails after some calls.
    struct Fixed(u64, usize);

    impl Stepper for Fixed {
        fn steps(&mut self, count: u64) -> Result<Duration, CheckError> {
            let Some(left) = self.1.checked_sub(1) else {
                return Err(CheckError::Program("tired".to_owned()));
            };
            self.1 = left;
            Ok(Duration::from_millis(self.0 * count))
        }
    }

    fn contestant(name: &str, milliseconds: u64, calls: usize) -> Contestant {
        Contestant { name: name.to_owned(), stepper: Ok(Box::new(Fixed(milliseconds, calls))) }
    }

    #[test]
    fn costs_are_relative_to_the_first_and_a_failure_is_its_own() {
        let contestants =
            vec![contestant("plain", 4, 99), contestant("slow", 12, 99), contestant("ends", 1, 3)];
        let mut seen = 0;
        let costs = compare(contestants, 5, None, |round| seen = round);
        let figures = costs[1].measured.as_ref().unwrap();
        assert_eq!((figures.milliseconds, figures.ratio, figures.rounds, seen), (12.0, 3.0, 5, 5));
        assert_eq!(costs[2].measured.as_ref().unwrap_err().to_string(), "tired");
    }

    #[test]
    fn one_round_is_measured_even_after_the_end() {
        let costs = compare(vec![contestant("plain", 4, 99)], 5, Some(clock::instant()), |_| ());
        assert_eq!(costs[0].measured.as_ref().unwrap().rounds, 1);
    }
}
