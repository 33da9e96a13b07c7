//! The notes below a table of a comparison: tests, missing jobs, differing environments.

use optlab_api_types::{ArmResult, Comparison, Difference, MissingCell};
use optlab_domain::{JobState, Standing};

use super::fields;

/// The notes, of one or a few sentences each.
pub fn notes(comparison: &Comparison) -> Vec<String> {
    let notes = [
        experiments(comparison),
        tests(comparison),
        figures(comparison),
        excess(comparison),
        missing(comparison),
        untested(comparison),
        environments(comparison),
    ];
    notes.into_iter().flatten().chain(fields::differing(comparison)).collect()
}

/// The names of several experiments, by the ids that the names of arms begin with.
fn experiments(comparison: &Comparison) -> Option<String> {
    let experiments = &comparison.experiments;
    let named: Vec<String> = experiments.iter().map(|one| format!("{} `{}`", one.id, one.name)).collect();
    (named.len() > 1).then(|| format!("Experiments: {}.", named.join(", ")))
}

/// The tests behind the p-values, and the smallest p-value that the pairs can reach.
fn tests(comparison: &Comparison) -> Option<String> {
    let tested: Vec<&Difference> = comparison.arms.iter().filter_map(|arm| arm.difference.as_ref()).collect();
    let fewest = tested.iter().min_by_key(|difference| difference.n)?;
    let adjusted = match tested.len() {
        1 => String::new(),
        arms => format!(", both adjusted for {arms} arms by Holm's procedure"),
    };
    let star = match tested.iter().any(|difference| difference.significant) {
        true => "A star marks p below 0.05. ",
        false => "",
    };
    Some(format!(
        "{star}p: paired t-test, p by flips: sign-flip permutation{adjusted}. By flips, {} pairs reach {} at the \
         least. Effect: Cohen's d_z. P(better): how often the arm is better with the same seed, exact interval.",
        fewest.n,
        significant_digits(fewest.sign_flip.least_p)
    ))
}

fn figures(comparison: &Comparison) -> Option<String> {
    if comparison.metric.is_selected_on_test_set() {
        return Some(
            "Best epochs are selected on the test set, so every arm looks better than it is.".to_owned(),
        );
    }
    comparison.last.map(|last| format!("Each figure is the mean of a run's last {last} evaluations."))
}

fn excess(comparison: &Comparison) -> Option<String> {
    let is_shown = comparison.arms.iter().any(|arm| arm.energy_excess.is_some());
    is_shown
        .then(|| "Excess: how far the energy is above its lower bound, in percent of the bound.".to_owned())
}

/// The jobs that do not count, by arm.
fn missing(comparison: &Comparison) -> Option<String> {
    let arms = comparison.arms.iter().filter_map(|arm| {
        let cells = comparison.missing.iter().filter(|cell| cell.arm == arm.arm);
        let mut whys: Vec<(String, Vec<i64>)> = Vec::new();
        for cell in cells {
            let why = why(cell);
            match whys.iter_mut().find(|(other, _)| *other == why) {
                Some((_, seeds)) => seeds.push(cell.seed),
                None => whys.push((why, vec![cell.seed])),
            }
        }
        let listed: Vec<String> = whys.iter().map(|(why, seeds)| format!("{} {why}", list(seeds))).collect();
        (!listed.is_empty()).then(|| format!("{}: {}", arm.arm, listed.join(", ")))
    });
    let arms: Vec<String> = arms.collect();
    (!arms.is_empty()).then(|| format!("Missing, with their pairs: {}.", arms.join("; ")))
}

fn why(cell: &MissingCell) -> String {
    match (cell.state, cell.end_reason) {
        (JobState::Succeeded, _) => "succeeded without this figure".to_owned(),
        (JobState::Failed, Some(reason)) => format!("failed ({reason})"),
        (state, _) => state.to_string(),
    }
}

/// The arms without a test. The verdict names those that cannot be compared.
fn untested(comparison: &Comparison) -> Option<String> {
    let why = |arm: &ArmResult| Some(format!("{}: {}", arm.arm, arm.cannot_tell.as_ref()?));
    let arms = comparison.arms.iter().filter(|arm| arm.standing != Some(Standing::NotComparable));
    let arms: Vec<String> = arms.filter_map(why).collect();
    (!arms.is_empty()).then(|| format!("No conclusion for {}.", arms.join("; ")))
}

fn environments(comparison: &Comparison) -> Option<String> {
    let mut found: Vec<(String, Vec<i64>)> = Vec::new();
    for pair in &comparison.environments {
        let what = format!("{}: {} ({})", pair.arm, pair.field, pair.values.join(", "));
        match found.iter_mut().find(|(other, _)| *other == what) {
            Some((_, seeds)) => seeds.push(pair.seed),
            None => found.push((what, vec![pair.seed])),
        }
    }
    let found: Vec<String> = found.iter().map(|(what, seeds)| format!("{what} of {}", list(seeds))).collect();
    (!found.is_empty()).then(|| format!("Pairs trained in more than one environment: {}.", found.join("; ")))
}

fn list(seeds: &[i64]) -> String {
    let word = if seeds.len() == 1 { "seed" } else { "seeds" };
    let seeds: Vec<String> = seeds.iter().map(i64::to_string).collect();
    format!("{word} {}", seeds.join(", "))
}

/// 0.0625, 1.9e-6.
fn significant_digits(p: f64) -> String {
    if p < 1e-3 { format!("{p:.1e}") } else { p.to_string() }
}
