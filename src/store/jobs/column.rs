//! What the tables of the database know about a job beside its spec.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// A column of the table of jobs. Its word in the API is in snake case.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Column {
    /// Its id.
    #[default]
    Id,
    /// Name of its experiment.
    Experiment,
    /// Id of its experiment.
    ExperimentId,
    /// Tags of its experiment.
    Tags,
    /// Whether its experiment is archived.
    Archived,
    /// Name of its arm.
    Arm,
    /// `baseline`, `opt:cayley`, ...
    Method,
    /// Its seed.
    Seed,
    /// Whether it tries a point of a tuned arm or counts in the comparison.
    Phase,
    /// Number of the trial, from 0.
    Trial,
    /// Where it is in its life.
    State,
    /// Request that its worker has not fulfilled yet.
    Requested,
    /// Why it ended.
    EndReason,
    /// What went wrong.
    Error,
    /// Number of its last attempt.
    Attempt,
    /// Device of its last attempt.
    Device,
    /// Its priority.
    Priority,
    /// Completed updates.
    Step,
    /// Updates of the whole run.
    Steps,
    /// Share of its updates that are completed.
    Progress,
    /// When it was submitted.
    CreatedAt,
    /// When its last attempt started.
    StartedAt,
    /// When it ended.
    EndedAt,
    /// Last test error.
    TestError,
    /// Last test accuracy.
    TestAccuracy,
    /// Test accuracy of the evaluation that was best on the test set itself.
    BestTestAccuracy,
    /// Last error on the validation set.
    ValidationError,
    /// Last accuracy on the validation set.
    ValidationAccuracy,
    /// Accuracy of the evaluation that was best on the validation set.
    BestValidationAccuracy,
    /// Last mean energy.
    Energy,
    /// Wall time of the whole run.
    Seconds,
    /// Peak memory: of the runner's process on a CPU, of its tensors on a GPU.
    PeakMemoryBytes,
    /// Number of trained parameters.
    ParametersTrained,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    /// Milliseconds since the epoch.
    Time,
    Text,
    /// A text of a closed set.
    Words(&'static [&'static str]),
    /// A JSON list of words.
    List,
}

const STATES: Kind = Kind::Words(&["running", "queued", "paused", "succeeded", "failed", "cancelled"]);
const END_REASONS: Kind = Kind::Words(&[
    "completed",
    "stopped_early",
    "user_error",
    "diverged",
    "out_of_memory",
    "runner_crashed",
    "worker_lost",
    "cancelled",
    "timed_out",
]);

impl Column {
    /// What it holds, and its expression in the statements of `selection`: of the job `k`, its experiment `e`, its last
    /// attempt `a` and its figures `r`.
    pub(super) fn about(self) -> (Kind, &'static str) {
        match self {
            Self::Id => (Kind::Number, "k.id"),
            Self::Experiment => (Kind::Text, "e.name"),
            Self::ExperimentId => (Kind::Number, "k.experiment_id"),
            Self::Tags => (Kind::List, "e.tags"),
            Self::Archived => {
                (Kind::Words(&["true", "false"]), "CASE e.archived WHEN 0 THEN 'false' ELSE 'true' END")
            }
            Self::Arm => (Kind::Text, "k.arm"),
            Self::Method => (Kind::Text, "k.method"),
            Self::Seed => (Kind::Number, "k.seed"),
            Self::Phase => (Kind::Words(&["trial", "confirm"]), "k.phase"),
            Self::Trial => (Kind::Number, "k.trial"),
            Self::State => (STATES, "k.state"),
            Self::Requested => (Kind::Words(&["cancel", "pause"]), "k.requested"),
            Self::EndReason => (END_REASONS, "k.end_reason"),
            Self::Error => (Kind::Text, "k.error"),
            Self::Attempt => (Kind::Number, "k.attempt"),
            Self::Device => (Kind::Text, "a.device"),
            Self::Priority => (Kind::Number, "k.priority"),
            Self::Step => (Kind::Number, "k.step"),
            Self::Steps => (Kind::Number, "k.steps"),
            Self::Progress => (Kind::Number, "1.0 * k.step / nullif(k.steps, 0)"),
            Self::CreatedAt => (Kind::Time, "k.created_ms"),
            Self::StartedAt => (Kind::Time, "k.started_ms"),
            Self::EndedAt => (Kind::Time, "k.ended_ms"),
            Self::TestError => (Kind::Number, "r.test_error"),
            Self::TestAccuracy => (Kind::Number, "r.test_accuracy"),
            Self::BestTestAccuracy => (Kind::Number, "r.best_test_accuracy"),
            Self::ValidationError => (Kind::Number, "r.validation_error"),
            Self::ValidationAccuracy => (Kind::Number, "r.validation_accuracy"),
            Self::BestValidationAccuracy => (Kind::Number, "r.best_validation_accuracy"),
            Self::Energy => (Kind::Number, "r.energy"),
            Self::Seconds => (Kind::Number, "CASE WHEN k.state = 'succeeded' THEN a.seconds END"),
            Self::PeakMemoryBytes => (Kind::Number, "r.peak_memory_bytes"),
            Self::ParametersTrained => (Kind::Number, "k.parameters_trained"),
        }
    }

    /// The number by which lists are ordered, if it is another one: arms in the order of the spec, states in that of
    /// [`JobState`](optlab_domain::JobState).
    pub(super) fn rank(self) -> Option<&'static str> {
        match self {
            Self::Arm => Some("k.arm_position"),
            Self::State => Some(
                "CASE k.state WHEN 'running' THEN 0 WHEN 'queued' THEN 1 WHEN 'paused' THEN 2
                              WHEN 'succeeded' THEN 3 WHEN 'failed' THEN 4 WHEN 'cancelled' THEN 5 END",
            ),
            _ => None,
        }
    }

    /// Whether it is a figure of a result.
    pub fn is_figure(self) -> bool {
        matches!(
            self,
            Self::TestError
                | Self::TestAccuracy
                | Self::BestTestAccuracy
                | Self::ValidationError
                | Self::ValidationAccuracy
                | Self::BestValidationAccuracy
                | Self::Energy
                | Self::Seconds
                | Self::PeakMemoryBytes
                | Self::ParametersTrained
        )
    }

    /// Whether a higher figure is the better one.
    pub fn higher_is_better(self) -> bool {
        matches!(
            self,
            Self::TestAccuracy
                | Self::BestTestAccuracy
                | Self::ValidationAccuracy
                | Self::BestValidationAccuracy
        )
    }
}

#[cfg(test)]
mod tests {
    use optlab_domain::{EndReason, JobState, Phase, Request};
    use strum::VariantArray;

    use super::*;

    #[test]
    fn words_are_those_of_the_domain_and_states_are_in_its_order() {
        let words = |column: Column| match column.about().0 {
            Kind::Words(words) => words.to_vec(),
            other => panic!("{column}: {other:?}"),
        };
        let states: Vec<&str> = JobState::VARIANTS.iter().map(|&state| state.into()).collect();
        assert_eq!(words(Column::State), states);
        for (place, state) in states.iter().enumerate() {
            assert!(
                Column::State.rank().unwrap().contains(&format!("WHEN '{state}' THEN {place}")),
                "{state}"
            );
        }
        let reasons: Vec<&str> = EndReason::VARIANTS
            .iter()
            .filter(|reason| reason.ends_jobs())
            .map(|&reason| reason.into())
            .collect();
        assert_eq!(words(Column::EndReason), reasons);
        let requests: Vec<&str> = Request::VARIANTS.iter().map(|&request| request.into()).collect();
        assert_eq!(words(Column::Requested), requests);
        let phases: Vec<&str> = Phase::VARIANTS.iter().map(|&phase| phase.into()).collect();
        assert_eq!(words(Column::Phase), phases);
    }
}
