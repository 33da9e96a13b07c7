//! Pairs that were trained in more than one environment, which may explain their difference.

use std::collections::{BTreeSet, HashMap};

use optlab_api_types::EnvironmentDifference;
use optlab_spec::protocol::Environment;

use super::figures::{Figure, Figures};

/// The values that two runs should share, by field name.
type Field = (&'static str, fn(&Environment) -> String);

/// The device without its index, because the GPUs of a machine count as equal.
const FIELDS: [Field; 5] = [
    ("optlab", |environment| environment.optlab.clone()),
    ("libtorch", |environment| environment.libtorch.clone()),
    ("device", |environment| environment.device.split(':').next().unwrap_or_default().to_owned()),
    ("device_name", |environment| environment.device_name.clone()),
    ("threads", |environment| environment.threads.to_string()),
];

/// The fields with more than one value in a counted pair of `arm`. A job that was resumed on another machine may have
/// several values by itself.
pub(super) fn differences(figures: &Figures, baseline: &str, arm: &str) -> Vec<EnvironmentDifference> {
    let found = |figure: &Figure| figures.environments.get(&figure.job.job_id).map_or(&[][..], Vec::as_slice);
    let counts = |figure: &&Figure| figure.value.is_some();
    let partners: HashMap<i64, &Figure> =
        figures.of(baseline).filter(counts).map(|figure| (figure.job.seed, figure)).collect();
    let mut differences = Vec::new();
    for figure in figures.of(arm).filter(counts) {
        let seed = figure.job.seed;
        let Some(&partner) = partners.get(&seed) else { continue };
        for (field, read) in FIELDS {
            let values: BTreeSet<String> = found(partner).iter().chain(found(figure)).map(read).collect();
            if values.len() > 1 {
                let values = values.into_iter().collect();
                differences.push(EnvironmentDifference {
                    arm: arm.to_owned(),
                    seed,
                    field: field.to_owned(),
                    values,
                });
            }
        }
    }
    differences
}
