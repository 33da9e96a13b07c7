//! A simulated study: two arms that are equally good, each at its own best learning rate, and the best rates differ by
//! a factor of ten. How often does a comparison call one of them better? The points of the trials, the choice and the
//! test are those of the service; a curve and the noise of seeds replace the training.

use optlab::stats::{SIGNIFICANT, Spread, by_score, p_value, score, spread};
use optlab_spec::ExperimentSpec;
use rand_pcg::Pcg64;
use serde_json::json;

use crate::{normal, uniform};

/// Simulated comparisons of each row.
const EXPERIMENTS: u64 = 2_000;
/// The best learning rate of each arm.
const BEST: [f64; 2] = [0.03, 0.3];
/// The learning rates that people would try.
const RANGE: [f64; 2] = [0.003, 1.0];
/// Numbers of confirming seeds.
const SEEDS: [usize; 3] = [5, 10, 20];
/// The standard deviation of a run's error in points, as in the demo.
const NOISE: f64 = 0.6;

/// How the learning rates of both arms are found.
#[derive(Clone, Copy)]
enum Rates {
    /// One rate for both, at random within the range.
    Same,
    /// The best of so many trials, each with so many seeds.
    Tuned { trials: u64, seeds: usize },
}

/// The error of an arm in points above its least: flat towards small rates, steep towards large ones, at most chance.
/// The shape is that of the demo's baseline.
fn error(rate: f64, best: f64) -> f64 {
    let decades = (rate / best).log10();
    let curvature = if decades < 0.0 { 0.8 } else { 40.0 };
    (curvature * decades.powi(2)).min(82.0)
}

/// The rates of the trials, the same for both arms.
fn tried(trials: u64, seed: u64) -> Vec<f64> {
    let spec = ExperimentSpec::from_value(&json!({
        "version": 1,
        "name": "study",
        "seeds": [0],
        "train": { "steps": 1, "data": { "name": "digits", "validation": 0.5 }, "model": { "kind": "mlp", "hidden": [8] } },
        "tune": {
            "trials": trials,
            "seed": seed,
            "space": { "optimizer.learning_rate": { "from": RANGE[0], "to": RANGE[1], "scale": "log" } },
        },
        "arms": [{ "name": "arm", "method": { "kind": "baseline" } }],
    }))
    .unwrap();
    let rate = |trial| spec.trial(&spec.arms[0], trial).unwrap().train.optimizer.learning_rate();
    (0..trials).map(rate).collect()
}

/// The rate of an arm after the trials.
fn chosen(tried: &[f64], seeds: usize, best: f64, random: &mut Pcg64) -> f64 {
    let scored = tried.iter().map(|&rate| {
        let errors: Vec<_> = (0..seeds).map(|_| Some(error(rate, best) + NOISE * normal(random))).collect();
        (score(errors.into_iter()), rate)
    });
    scored.min_by(|(one, _), (other, _)| by_score(*one, *other)).unwrap().1
}

/// The shares of comparisons, by the number of confirming seeds, in which one arm is called better.
fn calls(rates: Rates) -> [f64; 3] {
    let mut random = Pcg64::new(18, 0);
    let mut calls = [0_u32; 3];
    for experiment in 0..EXPERIMENTS {
        let rates = match rates {
            Rates::Same => [RANGE[0] * (RANGE[1] / RANGE[0]).powf(uniform(&mut random)); 2],
            Rates::Tuned { trials, seeds } => {
                let tried = tried(trials, experiment);
                BEST.map(|best| chosen(&tried, seeds, best, &mut random))
            }
        };
        let mut run = |arm: usize| error(rates[arm], BEST[arm]) + NOISE * normal(&mut random);
        let pairs: Vec<f64> = (0..SEEDS[2]).map(|_| run(1) - run(0)).collect();
        for (calls, seeds) in calls.iter_mut().zip(SEEDS) {
            let Spread { n, mean, std } = spread(&pairs[..seeds]).unwrap();
            *calls += u32::from(p_value(n, mean, std.unwrap()) < SIGNIFICANT);
        }
    }
    calls.map(|calls| f64::from(calls) / EXPERIMENTS as f64)
}

/// The table of docs/results.md: `cargo test --workspace --test stats study -- --nocapture` prints it.
#[test]
fn equal_arms_are_called_different_at_one_rate_and_seldom_after_tuning() {
    let tuned = |trials, seeds| (format!("{trials} trials x {seeds} seeds"), Rates::Tuned { trials, seeds });
    let rows = [("one rate".to_owned(), Rates::Same), tuned(4, 1), tuned(9, 2), tuned(16, 3), tuned(24, 6)];
    let shares = rows.map(|(name, rates)| {
        let shares = calls(rates);
        println!("| {name} | {} |", shares.map(|share| format!("{:.1}", 100.0 * share)).join(" | "));
        shares
    });
    let [same, few, .., most] = shares;
    assert!(same.iter().all(|share| *share > 0.7), "{same:?}");
    assert!((0.03..=0.07).contains(&most[0]), "{most:?}");
    assert!(
        few[2] > most[2] && most[2] > most[0],
        "more seeds find what the choice has left: {few:?}, {most:?}"
    );
}
