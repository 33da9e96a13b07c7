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

/// Says whether an arm is ahead of `baseline` in test error, or that it is too early to tell.
pub fn verdict(baseline: Option<&str>, contenders: &[Contender<'_>]) -> String {
    let Some(baseline) = baseline else {
        return "No arm trains with the baseline method, so there is nothing to compare with.".to_owned();
    };
    let known = contenders.iter().filter_map(|contender| Some((contender.arm, contender.difference?)));
    let Some((arm, difference)) = known.min_by(|(_, a), (_, b)| a.mean.total_cmp(&b.mean)) else {
        return match contenders {
            [] => format!("{baseline} is the only arm, so there is nothing to compare it with."),
            _ => format!("Too early to tell: two seeds of {baseline} and of another arm must have ended."),
        };
    };
    let Difference { n, mean, low, high, p_value } = difference;
    let certainty = |low: f64, high: f64| {
        format!("95% interval {low:.2} to {high:.2}, {n} seeds, {}", probability(p_value))
    };
    if high < 0.0 {
        let uncertainty = certainty(-high, -low);
        format!("{arm} leads {baseline} by {:.2} points of test error ({uncertainty}).", -mean)
    } else if low > 0.0 {
        let uncertainty = certainty(low, high);
        format!(
            "{baseline} leads; the best other arm, {arm}, is behind by {mean:.2} points of test error ({uncertainty})."
        )
    } else {
        let uncertainty = certainty(low, high);
        format!(
            "Too early to tell: {arm} differs from {baseline} by {mean:+.2} points of test error ({uncertainty})."
        )
    }
}

fn probability(p_value: f64) -> String {
    if p_value < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p_value:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(mean: f64, low: f64, high: f64) -> String {
        let difference = Some(Difference { n: 5, mean, low, high, p_value: 0.011 });
        verdict(
            Some("baseline"),
            &[Contender { arm: "opt", difference }, Contender { arm: "x", difference: None }],
        )
    }

    #[test]
    fn the_sentence_follows_the_interval() {
        assert_eq!(
            say(-0.84, -1.37, -0.31),
            "opt leads baseline by 0.84 points of test error (95% interval 0.31 to 1.37, 5 seeds, p = 0.011)."
        );
        assert!(say(0.5, 0.1, 0.9).starts_with("baseline leads; the best other arm, opt, is behind by 0.50"));
        assert!(say(-0.2, -0.5, 0.1).starts_with("Too early to tell: opt differs from baseline by -0.20"));
    }

    #[test]
    fn without_figures_it_says_what_is_missing() {
        assert!(verdict(None, &[]).contains("nothing to compare"));
        assert!(
            verdict(Some("baseline"), &[Contender { arm: "opt", difference: None }]).starts_with("Too early")
        );
    }
}
