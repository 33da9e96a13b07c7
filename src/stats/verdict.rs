//! The comparison as a sentence, with its uncertainty.

use optlab_api_types::Difference;
use optlab_domain::Metric;

use super::CannotTell;

/// An arm against the baseline.
#[derive(Clone, Copy, Debug)]
pub struct Contender<'a> {
    /// The arm's name.
    pub arm: &'a str,
    /// The difference from the baseline, or why there is none.
    pub difference: Result<Difference, CannotTell>,
}

/// Whether an arm is ahead of `baseline`, as a sentence. While jobs are open, an unclear result is "too early to tell".
pub fn verdict(metric: Metric, baseline: &str, contenders: &[Contender<'_>], settled: bool) -> String {
    let mut tested: Vec<Tested<'_>> = contenders
        .iter()
        .filter_map(|contender| {
            let (arm, difference) = (contender.arm, contender.difference.ok()?);
            Some(Tested { arm, difference, gain: gain(metric, &difference) })
        })
        .collect();
    // Significant differences come first, then the largest.
    tested.sort_by(|a, b| b.is_ahead().cmp(&a.is_ahead()).then(b.gain.total_cmp(&a.gain)));
    let Some((best, others)) = tested.split_first() else {
        return nothing_tested(metric, baseline, contenders, settled);
    };
    let say = Say { metric, baseline, arms: tested.len() };
    let (level, others): (Vec<&Tested<'_>>, Vec<&Tested<'_>>) = others.iter().partition(|one| {
        one.is_ahead() == best.is_ahead() && metric.shown(one.gain) == metric.shown(best.gain)
    });
    let mut sentence = say.of_best(best, settled);
    if !level.is_empty() {
        sentence.push_str(&format!(", level with {}", names(&level)));
    }
    sentence.push('.');
    if !best.difference.significant {
        sentence.push_str(&seeds_needed(&best.difference));
    }
    let ahead = others.iter().filter(|one| one.is_ahead());
    match metric.higher_is_better() {
        None => sentence.push_str(&say.list("Different too", ahead)),
        Some(_) => {
            sentence.push_str(&say.list("Also ahead", ahead));
            sentence.push_str(&say.list("Clearly worse", others.iter().filter(|one| one.is_behind())));
        }
    }
    if metric.is_selected_on_test_set() {
        sentence.push_str(" Best epochs are selected on the test set.");
    }
    sentence
}

/// A contender with at least two pairs.
struct Tested<'a> {
    arm: &'a str,
    difference: Difference,
    /// Its mean, signed such that more is better; its size if neither direction is better.
    gain: f64,
}

impl Tested<'_> {
    fn is_ahead(&self) -> bool {
        self.difference.significant && self.gain > 0.0
    }

    fn is_behind(&self) -> bool {
        self.difference.significant && self.gain < 0.0
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
        if !difference.significant {
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

fn nothing_tested(metric: Metric, baseline: &str, contenders: &[Contender<'_>], settled: bool) -> String {
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
    if settled {
        let counted = metric.counted();
        return format!(
            "Cannot tell: two seeds are needed that have {counted} of {baseline} and of another arm."
        );
    }
    format!("Too early to tell: two seeds of {baseline} and of another arm must have succeeded.")
}

fn seeds_needed(difference: &Difference) -> String {
    match difference.seeds_needed {
        Some(seeds) => {
            format!(" Detecting a difference of this size would take about {seeds} seeds (80% power).")
        }
        None => {
            " Detecting a difference of this size would take more than 10,000 seeds (80% power).".to_owned()
        }
    }
}

fn names(contenders: &[&Tested<'_>]) -> String {
    contenders.iter().map(|one| one.arm).collect::<Vec<_>>().join(" and ")
}

fn probability(p_value: f64) -> String {
    if p_value < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p_value:.3}") }
}

#[cfg(test)]
mod tests;
