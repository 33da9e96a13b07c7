//! The comparison as a sentence, with its uncertainty.

use super::comparison::Difference;

/// An arm against the baseline.
#[derive(Clone, Copy, Debug)]
pub struct Contender<'a> {
    /// The arm's name.
    pub arm: &'a str,
    /// Its test error minus the baseline's, once two seeds of both have ended.
    pub difference: Option<Difference>,
}

/// Says whether an arm is ahead of `baseline` in test error. While jobs are open, what is not clear is too early to
/// tell; once all have `settled`, it stays unclear.
pub fn verdict(baseline: Option<&str>, contenders: &[Contender<'_>], settled: bool) -> String {
    let Some(baseline) = baseline else {
        return "No arm trains with the baseline method, so there is nothing to compare with.".to_owned();
    };
    let known: Vec<(&str, Difference)> =
        contenders.iter().filter_map(|contender| Some((contender.arm, contender.difference?))).collect();
    let Some(&(best, difference)) = known.iter().min_by(|(_, a), (_, b)| a.mean.total_cmp(&b.mean)) else {
        return nothing_known(baseline, contenders, settled);
    };
    let mut sentence = sentence(baseline, best, difference, settled);
    let behind = known.iter().filter(|(arm, difference)| *arm != best && difference.low > 0.0);
    let behind: Vec<String> = behind.map(|(arm, d)| format!("{arm} is behind by {:.2}", d.mean)).collect();
    if !behind.is_empty() {
        sentence.push_str(&format!(" Clearly worse: {}.", behind.join(", ")));
    }
    sentence
}

fn nothing_known(baseline: &str, contenders: &[Contender<'_>], settled: bool) -> String {
    match (contenders, settled) {
        ([], _) => format!("{baseline} is the only arm, so there is nothing to compare it with."),
        (_, false) => {
            format!("Too early to tell: two seeds of {baseline} and of another arm must have succeeded.")
        }
        (_, true) => {
            format!(
                "Nothing to compare: {baseline} and another arm need two seeds that succeeded and differ."
            )
        }
    }
}

fn sentence(baseline: &str, arm: &str, difference: Difference, settled: bool) -> String {
    let Difference { n, mean, low, high, p_value } = difference;
    let certainty = |low: f64, high: f64| {
        format!("95% interval {low:.2} to {high:.2}, {n} seeds, {}", probability(p_value))
    };
    if high < 0.0 {
        let uncertainty = certainty(-high, -low);
        return format!("{arm} leads {baseline} by {:.2} points of test error ({uncertainty}).", -mean);
    }
    let uncertainty = certainty(low, high);
    if low > 0.0 {
        return format!(
            "{baseline} leads; the best other arm, {arm}, is behind by {mean:.2} points of test error ({uncertainty})."
        );
    }
    let unclear = if settled { "No clear difference" } else { "Too early to tell" };
    format!("{unclear}: {arm} differs from {baseline} by {mean:+.2} points of test error ({uncertainty}).")
}

fn probability(p_value: f64) -> String {
    if p_value < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p_value:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(mean: f64, low: f64, high: f64) -> Option<Difference> {
        Some(Difference { n: 5, mean, low, high, p_value: 0.011 })
    }

    fn say(mean: f64, low: f64, high: f64, settled: bool) -> String {
        let opt = Contender { arm: "opt", difference: difference(mean, low, high) };
        verdict(Some("baseline"), &[opt, Contender { arm: "x", difference: None }], settled)
    }

    #[test]
    fn the_sentence_follows_the_interval() {
        assert_eq!(
            say(-0.84, -1.37, -0.31, false),
            "opt leads baseline by 0.84 points of test error (95% interval 0.31 to 1.37, 5 seeds, p = 0.011)."
        );
        assert!(
            say(0.5, 0.1, 0.9, true)
                .starts_with("baseline leads; the best other arm, opt, is behind by 0.50")
        );
        assert!(
            say(-0.2, -0.5, 0.1, false).starts_with("Too early to tell: opt differs from baseline by -0.20")
        );
        assert!(
            say(-0.2, -0.5, 0.1, true).starts_with("No clear difference: opt differs from baseline by -0.20")
        );
    }

    #[test]
    fn an_arm_that_is_clearly_worse_is_named_too() {
        let good = Contender { arm: "good", difference: difference(-0.2, -0.5, 0.1) };
        let bad = Contender { arm: "bad", difference: difference(1.15, 0.9, 1.4) };
        let sentence = verdict(Some("baseline"), &[bad, good], true);
        assert!(
            sentence.starts_with("No clear difference: good")
                && sentence.ends_with("Clearly worse: bad is behind by 1.15.")
        );
    }

    #[test]
    fn without_figures_it_says_what_is_missing() {
        let open = [Contender { arm: "opt", difference: None }];
        assert!(verdict(None, &[], true).contains("nothing to compare"));
        assert!(verdict(Some("baseline"), &open, false).starts_with("Too early"));
        assert!(verdict(Some("baseline"), &open, true).starts_with("Nothing to compare"));
    }
}
