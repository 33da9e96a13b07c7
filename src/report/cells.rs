//! The cells of a comparison's table, on a terminal, in Markdown and in a report.

use optlab_api_types::{ArmResult, Comparison, Difference, Wins};

/// The headings of the columns. All but the first two are of numbers.
pub fn headings(comparison: &Comparison) -> [String; 13] {
    [
        "arm".to_owned(),
        "method".to_owned(),
        "n".to_owned(),
        comparison.metric.heading(),
        "energy".to_owned(),
        "excess %".to_owned(),
        "seconds".to_owned(),
        "pairs".to_owned(),
        format!("vs {} [95%]", baseline(comparison)),
        "p".to_owned(),
        "p by flips".to_owned(),
        "effect".to_owned(),
        "P(better) [95%]".to_owned(),
    ]
}

/// The cells of one arm.
pub fn cells(comparison: &Comparison, arm: &ArmResult) -> [String; 13] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let of_test = |show: fn(&Difference) -> String| or_dash(arm.difference.as_ref().map(show));
    [
        arm.arm.clone(),
        arm.method.clone(),
        arm.n.to_string(),
        or_dash(mean_and_std(comparison, arm, "±")),
        or_dash(arm.energy.map(|energy| format!("{energy:.4}"))),
        or_dash(arm.energy_excess.map(excess)),
        or_dash(arm.seconds.map(|seconds| format!("{seconds:.1}"))),
        or_dash(arm.pairs.map(|pairs| pairs.to_string())),
        or_dash(difference(comparison, arm)),
        of_test(|difference| probability(difference.p_adjusted)),
        of_test(|difference| probability(difference.sign_flip.p_adjusted)),
        or_dash(
            arm.difference
                .and_then(|difference| difference.effect_size)
                .map(|effect| format!("{effect:+.2}")),
        ),
        or_dash(arm.wins.as_ref().map(p_better)),
    ]
}

/// The probability that an arm is better, with its interval.
pub(super) fn p_better(wins: &Wins) -> String {
    format!("{:.2} [{:.2}, {:.2}]", wins.probability, wins.low, wins.high)
}

/// In percent. Neurons that nearly coincide have an energy without meaning.
fn excess(percent: f64) -> String {
    if percent > 1000.0 { "> 1000".to_owned() } else { format!("{percent:.2}") }
}

/// The name of the baseline.
pub fn baseline(comparison: &Comparison) -> &str {
    comparison.baseline.as_deref().unwrap_or("no baseline")
}

/// The mean and, for several seeds, the standard deviation after `sign`.
pub fn mean_and_std(comparison: &Comparison, arm: &ArmResult, sign: &str) -> Option<String> {
    let metric = comparison.metric;
    let mean = metric.shown(arm.mean?);
    Some(match arm.std {
        Some(std) => format!("{mean} {sign} {}", metric.shown(std)),
        None => mean,
    })
}

/// The difference, without an interval if it cannot be tested.
fn difference(comparison: &Comparison, arm: &ArmResult) -> Option<String> {
    let shown = |value| comparison.metric.shown_difference(value);
    let mean = shown(arm.mean_difference?);
    Some(match &arm.difference {
        Some(difference) => {
            let star = if difference.significant { " *" } else { "" };
            format!("{mean} [{}, {}]{star}", shown(difference.low), shown(difference.high))
        }
        None => mean,
    })
}

fn probability(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}
