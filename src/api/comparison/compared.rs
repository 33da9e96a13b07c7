//! The arms that are compared, and their names.

use optlab_domain::ExperimentId;
use optlab_spec::ComparedArm;

use super::super::error::ApiError;
use crate::store::{Experiment, Store, StoreError};

/// The experiments of a comparison, at least one, in the order of the request.
pub(super) struct Compared {
    pub(super) experiments: Vec<Experiment>,
}

impl Compared {
    /// The experiments of these ids, which are unique. Tuned arms have the settings that were chosen.
    pub(super) async fn read(store: &Store, ids: &[ExperimentId]) -> Result<Self, StoreError> {
        let mut experiments = Vec::with_capacity(ids.len());
        for id in ids {
            experiments.push(store.with_choices(store.experiment(*id).await?).await?);
        }
        Ok(Self { experiments })
    }

    /// The first experiment, whose baseline is the default.
    pub(super) fn first(&self) -> &Experiment {
        &self.experiments[0]
    }

    pub(super) fn are_several(&self) -> bool {
        self.experiments.len() > 1
    }

    /// The name of an arm of `experiment`: its own if there is one experiment, else `ID/ARM`. No name has a slash.
    pub(super) fn name(&self, experiment: ExperimentId, arm: &str) -> String {
        if self.are_several() { format!("{experiment}/{arm}") } else { arm.to_owned() }
    }

    /// All arms, each with the id of its experiment.
    pub(super) fn arms(&self) -> impl Iterator<Item = (ExperimentId, ComparedArm<'_>)> {
        self.experiments.iter().flat_map(move |experiment| {
            experiment.spec.arms.iter().map(move |arm| {
                let name = self.name(experiment.id, &arm.name);
                (experiment.id, ComparedArm { name, arm, experiment: &experiment.spec })
            })
        })
    }

    /// The arm to compare the others with: the wanted one, or the baseline of the first experiment.
    pub(super) fn baseline(&self, wanted: Option<String>) -> Result<Option<String>, ApiError> {
        let first = self.first();
        let Some(wanted) = wanted else {
            return Ok(first.spec.baseline.as_deref().map(|arm| self.name(first.id, arm)));
        };
        let names: Vec<String> = self.arms().map(|(_, arm)| arm.name).collect();
        if names.contains(&wanted) {
            return Ok(Some(wanted));
        }
        Err(ApiError::invalid_parameter(format!("`baseline` must be one of {}", names.join(", "))))
    }

    /// Whether every job has ended.
    pub(super) fn is_settled(&self) -> bool {
        self.experiments.iter().all(Experiment::has_ended)
    }
}
