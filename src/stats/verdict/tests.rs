use super::*;
use crate::stats::{adjust, paired_difference};

/// Differences with this mean and standard error 0.1: that of five pairs is clear from about 0.28 on.
fn contender(arm: &'static str, mean: f64) -> Contender<'static> {
    let pairs = [-0.2, -0.2, 0.0, 0.2, 0.2].map(|noise| mean + noise * 1.25f64.sqrt());
    Contender { arm, difference: paired_difference(&pairs) }
}

fn say(metric: Metric, contenders: &mut [Contender<'static>], settled: bool) -> String {
    let tested = contenders.iter_mut().filter_map(|contender| contender.difference.as_mut().ok());
    adjust(&mut tested.collect::<Vec<_>>(), 5);
    verdict(metric, "baseline", contenders, settled, 5).text
}

#[test]
fn the_verdict_follows_the_test() {
    let of = |mean, settled| say(Metric::TestError, &mut [contender("opt", mean)], settled);
    assert_eq!(
        of(-0.84, false),
        "opt leads baseline by 0.84 points of test error (95% interval 0.56 to 1.12, 5 seeds, p = 0.001)."
    );
    assert_eq!(
        of(0.5, true),
        "baseline leads; the best other arm, opt, is behind by 0.50 points of test error (95% interval 0.22 to 0.78, \
         5 seeds, p = 0.007)."
    );
    assert_eq!(
        of(-0.2, false),
        "Too early to tell: opt differs from baseline by -0.20 points of test error (95% interval -0.48 to 0.08, \
         5 seeds, p = 0.116). Detecting a difference of this size would take about 12 seeds (80% power)."
    );
    assert!(of(-0.2, true).starts_with("No clear difference: opt differs from baseline by -0.20"));
}

#[test]
fn more_accuracy_is_better_and_energy_is_neither() {
    let of = |metric, mean| say(metric, &mut [contender("opt", mean)], true);
    assert!(of(Metric::TestAccuracy, 0.5).starts_with("opt leads baseline by 0.50 points of test accuracy"));
    assert!(
        of(Metric::Seconds, 2.0).starts_with("baseline leads; the best other arm, opt, is behind by 2.0 s")
    );
    assert!(of(Metric::Energy, 0.5).starts_with("opt differs from baseline by +0.5000 of energy"));
    let best = of(Metric::BestTestError, -0.5);
    assert!(best.ends_with("Best epochs are selected on the test set."), "{best}");
}

#[test]
fn several_arms_are_named_with_an_adjusted_p() {
    let mut arms =
        [contender("bad", 1.15), contender("good", -0.84), contender("fair", -0.5), contender("also", -0.84)];
    let sentence = say(Metric::TestError, &mut arms, true);
    assert!(sentence.contains("p = 0.003 adjusted for 4 arms), level with also."), "{sentence}");
    assert!(sentence.starts_with("good leads baseline by 0.84"), "{sentence}");
    assert!(sentence.ends_with(" Also ahead: fair by 0.50. Clearly worse: bad by 1.15."), "{sentence}");
    let mut level = ["a", "b", "c", "d"].map(|arm| contender(arm, -0.84));
    let sentence = say(Metric::TestError, &mut level, true);
    assert!(sentence.contains("level with b, c and d."), "{sentence}");
}

#[test]
fn p_values_are_adjusted_for_the_number_of_arms() {
    let alone = say(Metric::TestError, &mut [contender("a", -0.3)], true);
    assert!(alone.starts_with("a leads"), "{alone}");
    let mut ten: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map(|arm| contender(arm, 0.0)).into();
    ten.push(contender("j", -0.3));
    let sentence = say(Metric::TestError, &mut ten, true);
    assert!(sentence.starts_with("No clear difference: j differs"), "{sentence}");
}

#[test]
fn a_significant_lead_comes_before_a_larger_uncertain_one() {
    let wide = paired_difference(&[-9.0, 6.0, -9.0, 6.0, -9.0]);
    let mut arms = [Contender { arm: "wide", difference: wide }, contender("narrow", -0.9)];
    let sentence = say(Metric::TestError, &mut arms, true);
    assert!(sentence.starts_with("narrow leads baseline by 0.90"), "{sentence}");
}

#[test]
fn two_seeds_never_lead() {
    let pairs = [-2.0, -2.02];
    let mut arms = [Contender { arm: "opt", difference: paired_difference(&pairs) }];
    assert!(arms[0].difference.unwrap().p_value < 0.01);
    let sentence = say(Metric::TestError, &mut arms, true);
    assert!(sentence.starts_with("Too few seeds to tell"), "{sentence}");
    assert_eq!(standing(Metric::TestError, &arms[0].difference, 5), Some(Standing::TooFewSeeds));
    let mut both = [arms[0], contender("enough", -0.84)];
    let sentence = say(Metric::TestError, &mut both, true);
    assert!(sentence.starts_with("enough leads baseline by 0.84"), "{sentence}");
    assert_eq!(standing(Metric::TestError, &both[1].difference, 5), Some(Standing::Better));
    assert_eq!(standing(Metric::TestAccuracy, &both[1].difference, 5), Some(Standing::Worse));
    assert_eq!(standing(Metric::Energy, &both[1].difference, 5), Some(Standing::Different));
}

#[test]
fn missing_figures_are_explained() {
    let open = [Contender { arm: "opt", difference: Err(CannotTell::TooFewPairs { n: 1 }) }];
    let of = |contenders: &[Contender<'_>], settled| {
        verdict(Metric::TestError, "baseline", contenders, settled, 5).text
    };
    assert!(of(&[], true).contains("nothing to compare"));
    assert_eq!(
        of(&open, false),
        "Too early to tell: a conclusion needs 5 seeds with this figure in baseline and in another arm; at most 1 have \
         it so far."
    );
    assert!(of(&open, true).starts_with("Too few seeds to tell: "));
    let constant = [Contender { arm: "opt", difference: Err(CannotTell::NoSpread { n: 3, mean: -64.0 }) }];
    let sentence = verdict(Metric::ParametersTrained, "baseline", &constant, true, 5).text;
    assert!(sentence.ends_with("nothing to test: opt by -64 trained parameters."), "{sentence}");
}
