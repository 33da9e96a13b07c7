//! The sentences that a comparison adds to its verdict.

use optlab_domain::{Evaluated, ExperimentId, HeldOut, Metric, counted};
use optlab_spec::{Arm, FieldDifference, MethodSpec, Mismatch};
use serde_json::Value;

use super::compared::Compared;
use crate::store::Experiment;

/// Number of names in a list before the others are counted.
const MOST_NAMES: usize = 4;

pub(super) fn no_baseline(compared: &Compared) -> String {
    let spec = &compared.first().spec;
    let plain = spec.arms.iter().filter(|arm| matches!(arm.method, MethodSpec::Baseline { .. })).count();
    let why = match plain {
        0 => "no arm has the method `baseline`".to_owned(),
        plain => format!("{plain} arms have the method `baseline`"),
    };
    let of = match compared.are_several() {
        true => format!(" of experiment {}", compared.first().id),
        false => String::new(),
    };
    format!("No baseline{of}: {why} and the spec names none. Choose an arm to compare the others with.")
}

/// The sentences that name the arms without a verdict, one per reason.
pub(super) fn no_verdict<'a>(apart: impl Iterator<Item = (&'a str, &'a Mismatch)>) -> Option<String> {
    let mut reasons: Vec<(&Mismatch, Vec<&str>)> = Vec::new();
    for (arm, reason) in apart {
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, arms)) => arms.push(arm),
            None => reasons.push((reason, vec![arm])),
        }
    }
    let sentence =
        |(reason, arms): &(&Mismatch, Vec<&str>)| format!("No verdict on {}: {reason}.", listed(arms));
    let sentences: Vec<String> = reasons.iter().map(sentence).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// Names the set that is compared, if the arms have two.
pub(super) fn held_out(compared: &Compared, metric: Metric) -> &'static str {
    let has_validation = compared.arms().any(|(_, arm)| arm.arm.train.data.validation > 0.0);
    match metric.evaluated() {
        Some(Evaluated { set: HeldOut::Test, .. }) if has_validation => {
            " Compared on the test set, not on the validation set."
        }
        Some(Evaluated { set: HeldOut::Validation, .. }) => " Compared on the validation set.",
        _ => "",
    }
}

/// The budget with which the arms were tuned, because a claim is as good as the settings of both sides.
pub(super) fn budget(compared: &Compared) -> String {
    let tuned = |experiment: &Experiment| Some((experiment.id, budget_of(experiment)?));
    let tuned: Vec<(ExperimentId, String)> = compared.experiments.iter().filter_map(tuned).collect();
    match &tuned[..] {
        [] if compared.arms().count() > 1 => " An untuned comparison: one setting per arm.".to_owned(),
        [(_, budget)] if !compared.are_several() => format!(" Tuned on validation error: {budget}."),
        tuned => tuned.iter().map(|(id, budget)| format!(" Experiment {id} is tuned: {budget}.")).collect(),
    }
}

/// `None` for one setting per arm.
fn budget_of(experiment: &Experiment) -> Option<String> {
    let spec = &experiment.spec;
    let tune = spec.tune.as_ref()?;
    let trials = counted(tune.trials, "trial");
    let (seeds, fresh) = (counted(tune.seeds.len(), "seed"), counted(spec.seeds.len(), "fresh seed"));
    let early = if tune.halving.is_some() { ", those behind stopped early" } else { "" };
    let open = experiment.tuning.filter(|tuning| tuning.frozen < tuning.arms);
    let open = open.map(|tuning| format!("; {} of {} choices are frozen", tuning.frozen, tuning.arms));
    Some(format!("{trials} x {seeds} per arm{early}; {fresh}{}", open.unwrap_or_default()))
}

/// The learning rates in which two arms differ. Rates that tuning chose for both are left out, because [`budget`] says
/// how.
pub(super) fn rates(compared: &Compared, differences: &[FieldDifference], arms: [&str; 2]) -> String {
    let mut pair = compared.arms().filter(|(_, arm)| arms.contains(&arm.name.as_str()));
    let tunes_rate = |arm: &Arm| arm.tune.iter().flatten().any(|(path, _)| path.ends_with("learning_rate"));
    if pair.all(|(_, arm)| tunes_rate(arm.arm)) {
        return String::new();
    }
    let rates = differences.iter().filter(|field| is_rate(field));
    let listed: Vec<String> = rates
        .filter_map(|field| {
            let [arm, baseline] = arms.map(|name| value(field, name));
            let (arm, baseline) = (arm?, baseline?);
            let name = name(field);
            (arm != baseline).then(|| format!("{name} is {arm} in {} and {baseline} in {}", arms[0], arms[1]))
        })
        .collect();
    if listed.is_empty() { String::new() } else { format!(" Rates differ: {}.", listed.join(", ")) }
}

/// The other fields in which two arms of different experiments differ, apart from the method.
pub(super) fn conditions(differences: &[FieldDifference], arms: [&str; 2]) -> String {
    let fields = differences.iter().filter(|field| {
        let is_method = field.pointer.starts_with("/method/") || field.pointer == "/seeds";
        let [arm, baseline] = arms.map(|name| value(field, name));
        !is_method && !is_rate(field) && arm != baseline
    });
    let names: Vec<String> = fields.map(name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if names.is_empty() {
        return String::new();
    }
    format!(" {} and {} also differ in {}.", arms[0], arms[1], listed(&names))
}

fn is_rate(field: &FieldDifference) -> bool {
    field.pointer.ends_with("/learning_rate")
}

fn value<'a>(field: &'a FieldDifference, arm: &str) -> Option<&'a Value> {
    field.values.get(arm).filter(|value| !value.is_null())
}

fn name(field: &FieldDifference) -> String {
    field.pointer[1..].replace('/', ".")
}

/// "a", "a and b", "a, b, c, d and 3 others".
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] if names.len() <= MOST_NAMES => format!("{} and {last}", first.join(", ")),
        _ => {
            let others = names.len() - MOST_NAMES;
            format!("{} and {}", names[..MOST_NAMES].join(", "), counted(others, "other"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_of_one_reason_share_a_sentence_and_long_lists_are_counted() {
        let [small, large] = [0.1, 0.2].map(|share| Mismatch::TrainingImages([share, 0.0]));
        let apart = [("2/a", &small), ("3/a", &large), ("2/b", &small)];
        let text = no_verdict(apart.into_iter()).unwrap();
        assert!(
            text.starts_with("No verdict on 2/a and 2/b: data.validation is 0.1 and not 0, so"),
            "{text}"
        );
        assert!(text.contains("order. No verdict on 3/a: data.validation is 0.2 and not 0, so"), "{text}");
        assert_eq!(no_verdict([].into_iter()), None);
        assert_eq!(listed(&["a", "b", "c", "d"]), "a, b, c and d");
        assert_eq!(listed(&["a", "b", "c", "d", "e"]), "a, b, c, d and 1 other");
    }
}
