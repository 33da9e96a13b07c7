//! Pairs that were not trained in one environment: their difference may be that of the environments.

use std::collections::{BTreeSet, HashMap};

use optlab_api_types::EnvironmentDifference;
use optlab_spec::protocol::Environment;

use super::figures::{Figure, Figures};

/// What two runs should share, by the name of its field.
type Field = (&'static str, fn(&Environment) -> String);

/// Which of a machine's GPUs it was makes no difference.
const FIELDS: [Field; 5] = [
    ("optlab", |environment| environment.optlab.clone()),
    ("libtorch", |environment| environment.libtorch.clone()),
    ("device", |environment| environment.device.split(':').next().unwrap_or_default().to_owned()),
    ("device_name", |environment| environment.device_name.clone()),
    ("threads", |environment| environment.threads.to_string()),
];

/// Of each pair of `arm` that counts, the fields that more than one value was found of, in whichever of the two jobs: one
/// that went on elsewhere differs from itself.
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
