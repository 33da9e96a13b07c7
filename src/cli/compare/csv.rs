//! The comparison in full precision, for programs. Names of arms need no quotes in CSV.

use optlab_api_types::{ArmResult, Comparison, Difference};

const HEADER: &str = "arm,method,n,mean,std,energy,seconds,difference,low,high,p_value,\
    metric,selected_on_test_set,pairs,difference_std,p_adjusted,sign_flip_p,sign_flip_p_adjusted,least_sign_flip_p,\
    effect_size,seeds_needed,bootstrap_low,bootstrap_high,missing_seeds,standing,\
    wins,ties,p_better,p_better_low,p_better_high,energy_excess";

pub(super) fn rows(comparison: &Comparison) -> String {
    let rows = comparison.arms.iter().map(|arm| row(comparison, arm).join(","));
    [HEADER.to_owned()].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

fn row(comparison: &Comparison, arm: &ArmResult) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let maybe = |pick: fn(&Difference) -> Option<f64>| number(arm.difference.as_ref().and_then(pick));
    let of = |pick: fn(&Difference) -> f64| number(arm.difference.as_ref().map(pick));
    let missing = comparison.missing.iter().filter(|cell| cell.arm == arm.arm);
    let missing: Vec<String> = missing.map(|cell| cell.seed.to_string()).collect();
    let seeds_needed = arm.difference.as_ref().and_then(|difference| difference.seeds_needed);
    vec![
        arm.arm.clone(),
        arm.method.clone(),
        arm.n.to_string(),
        number(arm.mean),
        number(arm.std),
        number(arm.energy),
        number(arm.seconds),
        number(arm.mean_difference),
        of(|d| d.low),
        of(|d| d.high),
        of(|d| d.p_value),
        comparison.metric.to_string(),
        comparison.metric.is_selected_on_test_set().to_string(),
        arm.pairs.map_or_else(String::new, |pairs| pairs.to_string()),
        of(|d| d.std),
        of(|d| d.p_adjusted),
        of(|d| d.sign_flip.p_value),
        of(|d| d.sign_flip.p_adjusted),
        of(|d| d.sign_flip.least_p),
        maybe(|d| d.effect_size),
        seeds_needed.map_or_else(String::new, |seeds| seeds.to_string()),
        maybe(|d| d.bootstrap_low),
        maybe(|d| d.bootstrap_high),
        missing.join(" "),
        arm.standing.map_or_else(String::new, |standing| standing.to_string()),
        arm.wins.map_or_else(String::new, |counts| counts.wins.to_string()),
        arm.wins.map_or_else(String::new, |counts| counts.ties.to_string()),
        number(arm.wins.map(|counts| counts.probability)),
        number(arm.wins.map(|counts| counts.low)),
        number(arm.wins.map(|counts| counts.high)),
        number(arm.energy_excess),
    ]
}
