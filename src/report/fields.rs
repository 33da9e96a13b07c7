//! The fields in which the resolved arms differ.

use optlab_api_types::{ArmResult, Comparison, SpecDifference};
use optlab_domain::counted;
use serde_json::Value;

/// The names of the fields in one sentence; of several experiments, a line per field with its values.
pub(super) fn differing(comparison: &Comparison) -> Vec<String> {
    let fields = &comparison.differences;
    match (fields.len(), comparison.experiments.len()) {
        (0, _) => Vec::new(),
        (_, 1) => {
            let names: Vec<String> = fields.iter().map(name).collect();
            vec![format!("The arms differ in {}.", names.join(", "))]
        }
        (count, _) => {
            let heading = format!("The arms differ in {}:", counted(count, "field"));
            [heading].into_iter().chain(fields.iter().map(|field| line(comparison, field))).collect()
        }
    }
}

/// "train.epochs: 20 in experiment 1; 40 in experiment 4".
fn line(comparison: &Comparison, field: &SpecDifference) -> String {
    let mut values: Vec<(&Value, Vec<&ArmResult>)> = Vec::new();
    for arm in &comparison.arms {
        let Some(value) = field.values.get(&arm.arm) else { continue };
        match values.iter_mut().find(|(known, _)| *known == value) {
            Some((_, arms)) => arms.push(arm),
            None => values.push((value, vec![arm])),
        }
    }
    let said = |(value, arms): &(&Value, Vec<&ArmResult>)| {
        let value = match value {
            Value::Null => "none".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        format!("{value} in {}", places(comparison, arms))
    };
    format!("{}: {}", name(field), values.iter().map(said).collect::<Vec<_>>().join("; "))
}

/// The experiments all of whose arms are in `arms`, and the other arms by name.
fn places(comparison: &Comparison, arms: &[&ArmResult]) -> String {
    let places = comparison.experiments.iter().flat_map(|experiment| {
        let own = arms.iter().filter(|arm| arm.experiment_id == experiment.id);
        let own: Vec<String> = own.map(|arm| arm.arm.clone()).collect();
        let all = comparison.arms.iter().filter(|arm| arm.experiment_id == experiment.id);
        if own.len() == all.count() { vec![format!("experiment {}", experiment.id)] } else { own }
    });
    places.collect::<Vec<_>>().join(", ")
}

fn name(field: &SpecDifference) -> String {
    field.pointer[1..].replace('/', ".")
}
