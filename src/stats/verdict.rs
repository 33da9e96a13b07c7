//! The comparison as a sentence, with its uncertainty.

use optlab_api_types::Difference;
use optlab_domain::{Metric, Standing};

use super::CannotTell;

/// An arm against the baseline.
#[derive(Clone, Copy, Debug)]
pub struct Contender<'a> {
    /// The arm's name.
    pub arm: &'a str,
    /// The difference from the baseline, or why there is none.
    pub difference: Result<Difference, CannotTell>,
}

/// The comparison as a sentence.
pub struct Verdict<'a> {
    /// The sentences.
    pub text: String,
    /// The arm that the first sentence compares with the baseline.
    pub about: Option<&'a str>,
}

/// The conclusion about one arm; `None` if all pairs differ by the same.
pub fn standing(
    metric: Metric,
    difference: &Result<Difference, CannotTell>,
    pairs_needed: usize,
) -> Option<Standing> {
    let difference = match difference {
        Ok(difference) if difference.n >= pairs_needed => difference,
        Err(CannotTell::NoSpread { .. }) => return None,
        _ => return Some(Standing::TooFewSeeds),
    };
    Some(match (difference.significant, metric.higher_is_better()) {
        (false, _) => Standing::NoClearDifference,
        (true, None) => Standing::Different,
        (true, Some(higher_is_better)) if (difference.mean > 0.0) == higher_is_better => Standing::Better,
        (true, Some(_)) => Standing::Worse,
    })
}

/// Whether an arm is ahead of `baseline`, in words. While jobs are open, an unclear result is "too early to tell".
/// Contenders with fewer pairs than `pairs_needed` are not judged.
pub fn verdict<'a>(
    metric: Metric,
    baseline: &str,
    contenders: &[Contender<'a>],
    settled: bool,
    pairs_needed: usize,
) -> Verdict<'a> {
    let mut tested: Vec<Tested<'a>> = contenders
        .iter()
        .filter_map(|contender| {
            let (arm, difference) = (contender.arm, contender.difference.ok()?);
            let standing = standing(metric, &contender.difference, pairs_needed)?;
            (standing != Standing::TooFewSeeds).then(|| Tested {
                arm,
                difference,
                standing,
                gain: gain(metric, &difference),
            })
        })
        .collect();
    // Significant differences come first, then the largest.
    tested.sort_by(|a, b| b.is_ahead().cmp(&a.is_ahead()).then(b.gain.total_cmp(&a.gain)));
    let Some((best, others)) = tested.split_first() else {
        return Verdict {
            text: nothing_tested(metric, baseline, contenders, settled, pairs_needed),
            about: None,
        };
    };
    let say = Say { metric, baseline, arms: tested.len() };
    let (level, others): (Vec<&Tested<'_>>, Vec<&Tested<'_>>) = others.iter().partition(|one| {
        one.is_ahead() == best.is_ahead() && metric.shown(one.gain) == metric.shown(best.gain)
    });
    let mut text = say.of_best(best, settled);
    if !level.is_empty() {
        text.push_str(&format!(", level with {}", names(&level)));
    }
    text.push('.');
    if best.standing == Standing::NoClearDifference {
        text.push_str(&seeds_needed(&best.difference));
    }
    let ahead = others.iter().filter(|one| one.is_ahead());
    match metric.higher_is_better() {
        None => text.push_str(&say.list("Different too", ahead)),
        Some(_) => {
            text.push_str(&say.list("Also ahead", ahead));
            text.push_str(&say.list("Clearly worse", others.iter().filter(|one| one.is_behind())));
        }
    }
    if metric.is_selected_on_test_set() {
        text.push_str(" Best epochs are selected on the test set.");
    }
    Verdict { text, about: Some(best.arm) }
}

/// A contender with enough pairs.
struct Tested<'a> {
    arm: &'a str,
    difference: Difference,
    standing: Standing,
    /// Its mean, signed such that more is better; its size if neither direction is better.
    gain: f64,
}

impl Tested<'_> {
    fn is_ahead(&self) -> bool {
        matches!(self.standing, Standing::Better | Standing::Different)
    }

    fn is_behind(&self) -> bool {
        self.standing == Standing::Worse
    }
}

fn gain(metric: Metric, difference: &Difference) -> f64 {
    match metric.higher_is_better() {
        Some(true) => difference.mean,
        Some(false) => -difference.mean,
        None => difference.mean.abs(),
    }
}

/// The context of all sentences.
struct Say<'a> {
    metric: Metric,
    baseline: &'a str,
    /// That were tested.
    arms: usize,
}

impl Say<'_> {
    /// The sentence without its full stop.
    fn of_best(&self, best: &Tested<'_>, settled: bool) -> String {
        let Self { metric, baseline, .. } = *self;
        let Tested { arm, difference, .. } = best;
        let counted = metric.counted();
        let signed = || {
            let amount = metric.shown_difference(difference.mean);
            format!(
                "{arm} differs from {baseline} by {amount} {counted} ({})",
                self.certainty(difference, 1.0)
            )
        };
        if best.standing == Standing::NoClearDifference {
            let unclear = if settled { "No clear difference" } else { "Too early to tell" };
            return format!("{unclear}: {}", signed());
        }
        let Some(higher_is_better) = metric.higher_is_better() else { return signed() };
        let amount = self.amount(best);
        let towards_gain = if higher_is_better { 1.0 } else { -1.0 };
        if best.is_ahead() {
            let certainty = self.certainty(difference, towards_gain);
            return format!("{arm} leads {baseline} by {amount} {counted} ({certainty})");
        }
        let certainty = self.certainty(difference, -towards_gain);
        format!("{baseline} leads; the best other arm, {arm}, is behind by {amount} {counted} ({certainty})")
    }

    fn list<'a>(&self, title: &str, contenders: impl Iterator<Item = &'a &'a Tested<'a>>) -> String {
        let listed: Vec<String> =
            contenders.map(|one| format!("{} by {}", one.arm, self.amount(one))).collect();
        if listed.is_empty() { String::new() } else { format!(" {title}: {}.", listed.join(", ")) }
    }

    /// The size of the difference; with its sign if neither direction is better.
    fn amount(&self, one: &Tested<'_>) -> String {
        match self.metric.higher_is_better() {
            None => self.metric.shown_difference(one.difference.mean),
            Some(_) => self.metric.shown(one.gain.abs()),
        }
    }

    fn certainty(&self, difference: &Difference, sign: f64) -> String {
        let Difference { n, low, high, p_adjusted, .. } = *difference;
        let (low, high) = if sign < 0.0 { (-high, -low) } else { (low, high) };
        let [low, high] = [low, high].map(|end| self.metric.shown(end));
        let adjusted =
            if self.arms > 1 { format!(" adjusted for {} arms", self.arms) } else { String::new() };
        format!("95% interval {low} to {high}, {n} seeds, {}{adjusted}", probability(p_adjusted))
    }
}

fn nothing_tested(
    metric: Metric,
    baseline: &str,
    contenders: &[Contender<'_>],
    settled: bool,
    pairs_needed: usize,
) -> String {
    if contenders.is_empty() {
        return format!("{baseline} is the only arm, so there is nothing to compare it with.");
    }
    let constant: Vec<String> = contenders
        .iter()
        .filter_map(|contender| match contender.difference {
            Err(CannotTell::NoSpread { mean, .. }) => {
                Some(format!("{} by {}", contender.arm, metric.shown_difference(mean)))
            }
            _ => None,
        })
        .collect();
    if !constant.is_empty() {
        let (listed, counted) = (constant.join(", "), metric.counted());
        return format!(
            "Every seed differs from {baseline} by the same, so there is nothing to test: {listed} {counted}."
        );
    }
    let pairs = contenders.iter().map(|contender| match contender.difference {
        Ok(Difference { n, .. }) | Err(CannotTell::TooFewPairs { n } | CannotTell::NoSpread { n, .. }) => n,
    });
    let most = pairs.max().unwrap_or_default();
    let need =
        format!("a conclusion needs {pairs_needed} seeds with this figure in {baseline} and in another arm");
    match settled {
        true => format!("Too few seeds to tell: {need}; at most {most} have it."),
        false => format!("Too early to tell: {need}; at most {most} have it so far."),
    }
}

fn seeds_needed(difference: &Difference) -> String {
    match (difference.seeds_needed, difference.effect_size) {
        (_, None) => String::new(),
        (Some(seeds), _) => {
            format!(" Detecting a difference of this size would take about {seeds} seeds (80% power).")
        }
        (None, Some(_)) => {
            " Detecting a difference of this size would take more than 10,000 seeds (80% power).".to_owned()
        }
    }
}

/// "a", "a and b", "a, b and c".
fn names(contenders: &[&Tested<'_>]) -> String {
    let names: Vec<&str> = contenders.iter().map(|one| one.arm).collect();
    match names.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => names.concat(),
    }
}

fn probability(p_value: f64) -> String {
    if p_value < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p_value:.3}") }
}

#[cfg(test)]
mod tests;
