//! The statistics of comparisons against numbers of other programs (`make.py`) and in simulations.

mod study;

use optlab::stats::{self, paired_difference};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;
use serde_json::Value;

const FILE: &str = include_str!("golden.json");

fn golden(part: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(FILE).unwrap();
    file[part].as_array().unwrap().clone()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[track_caller]
fn agrees(ours: f64, theirs: &Value, what: &str) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs(), "{what}: {ours} and not {theirs}");
}

#[test]
fn differences_agree_with_scipy() {
    let cases = golden("cases");
    assert!(cases.len() >= 12);
    for case in cases {
        let pairs = numbers(&case["differences"]);
        let what = format!("{} pairs from {}", pairs.len(), pairs[0]);
        let ours = paired_difference(&pairs).unwrap();
        agrees(ours.mean, &case["mean"], &what);
        agrees(ours.std, &case["std"], &what);
        agrees(ours.p_value, &case["p_value"], &what);
        agrees(ours.low, &case["interval"][0], &what);
        agrees(ours.high, &case["interval"][1], &what);
        if pairs.len() >= 5 {
            agrees(ours.effect_size.unwrap(), &case["effect_size"], &what);
            agrees(ours.bootstrap_low.unwrap(), &case["bootstrap"][0], &what);
            agrees(ours.bootstrap_high.unwrap(), &case["bootstrap"][1], &what);
            assert_eq!(ours.seeds_needed.map(|seeds| seeds as u64), case["seeds_needed"].as_u64(), "{what}");
        }
        let wins = stats::wins(&pairs, false).unwrap();
        agrees(wins.probability, &case["wins"][0], &what);
        agrees(wins.low, &case["wins"][1], &what);
        agrees(wins.high, &case["wins"][2], &what);
        agrees(ours.sign_flip.p_value, &case["sign_flip"], &what);
        assert_eq!(ours.sign_flip.exact, pairs.len() <= 30, "{what}");
    }
}

#[test]
fn power_agrees_with_the_noncentral_t() {
    for case in golden("power") {
        let [effect_size, alpha] = ["effect_size", "alpha"].map(|name| case[name].as_f64().unwrap());
        let n = case["n"].as_u64().unwrap() as usize;
        agrees(stats::power(n, effect_size, alpha), &case["power"], &case.to_string());
    }
    assert_eq!(stats::seeds_needed(0.0, 0.05), None);
    assert_eq!(stats::seeds_needed(1000.0, 0.05), Some(2));
}

#[test]
fn an_arm_among_several_needs_more_seeds() {
    let pairs = [-0.31, -0.62, -1.05, -0.12, 0.2];
    let alone = paired_difference(&pairs).unwrap();
    let (mut one, mut other) = (alone, alone);
    stats::adjust(&mut [&mut one], 5);
    assert_eq!(one.seeds_needed, alone.seeds_needed);
    stats::adjust(&mut [&mut one, &mut other], 5);
    let needed = one.seeds_needed.unwrap();
    assert!(needed > alone.seeds_needed.unwrap(), "{needed}");
    let found = |n| stats::power(n, alone.effect_size.unwrap(), 0.05 / 2.0) >= stats::POWER;
    assert!(found(needed) && !found(needed - 1), "{needed}");
}

#[test]
fn holm_agrees_with_the_closed_test() {
    for case in golden("holm") {
        let ours = stats::holm(&numbers(&case["p"]));
        let theirs = case["adjusted"].as_array().unwrap();
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            agrees(*ours, theirs, &case.to_string());
        }
    }
}

#[test]
fn five_pairs_cannot_reach_0_05_by_sign_flips() {
    let clear = stats::sign_flip(&[-0.8, -0.9, -1.0, -0.85, -0.95]);
    assert_eq!((clear.p_value, clear.least_p, clear.exact), (0.0625, 0.0625, true));
    // All 2^30 assignments, in the time of 2^15.
    let most = stats::sign_flip(&[1.0; 30]);
    assert_eq!((most.p_value, most.exact), (2f64.powi(-29), true));
}

fn uniform(random: &mut Pcg64) -> f64 {
    (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Standard normal numbers (Box and Muller).
fn normal(random: &mut Pcg64) -> f64 {
    let mut uniform = || uniform(random);
    let (radius, angle) = ((-2.0 * (1.0 - uniform()).ln()).sqrt(), std::f64::consts::TAU * uniform());
    radius * angle.cos()
}

/// The fraction of 1,000 experiments of 8 seeds in which each test calls two equal, paired arms different.
#[test]
fn the_false_positive_rate_is_nominal() {
    let mut random = Pcg64::new(3, 0);
    let (mut by_t, mut by_sign_flips) = (0, 0);
    for _ in 0..1_000 {
        let pairs: Vec<f64> = (0..8)
            .map(|_| {
                let seed = 5.0 + normal(&mut random);
                (seed + 0.3 * normal(&mut random)) - (seed + 0.3 * normal(&mut random))
            })
            .collect();
        let stats::Spread { n, mean, std } = stats::spread(&pairs).unwrap();
        by_t += usize::from(stats::p_value(n, mean, std.unwrap()) < stats::SIGNIFICANT);
        by_sign_flips += usize::from(stats::sign_flip(&pairs).p_value < stats::SIGNIFICANT);
    }
    assert!((30..=70).contains(&by_t), "{by_t} of 1000");
    // Its p-values are multiples of 1/128: the largest below 0.05 is 6/128.
    assert!((25..=65).contains(&by_sign_flips), "{by_sign_flips} of 1000");
}

#[test]
fn choices_and_the_best_of_k_trials_agree_with_their_definition() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("tuning.json")).unwrap();
    assert!(cases.len() >= 6);
    for case in cases {
        let runs = case["runs"].as_array().unwrap().iter().map(|errors| errors.as_array().unwrap());
        let scores: Vec<Option<f64>> =
            runs.map(|errors| stats::score(errors.iter().map(Value::as_f64))).collect();
        for (ours, theirs) in scores.iter().zip(case["scores"].as_array().unwrap()) {
            assert_eq!(ours.is_some(), theirs.is_number(), "{case}");
            ours.iter().for_each(|ours| agrees(*ours, theirs, &case.to_string()));
        }
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|one, other| stats::by_score(scores[*one], scores[*other]));
        assert_eq!(serde_json::json!(order), case["order"], "{case}");
        let best = stats::best_of(&scores);
        assert_eq!(best.len(), scores.len());
        for (index, best) in best.iter().enumerate() {
            for (name, ours) in [("expected", best.expected), ("low", best.low), ("high", best.high)] {
                agrees(ours, &case[name][index], &format!("{name} of {} trials of {case}", index + 1));
            }
        }
    }
}
