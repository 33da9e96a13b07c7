//! The figures of a comparison, one for each arm and seed.

use std::collections::HashMap;

use optlab_domain::{Evaluations, HeldOut, JobId, Metric};
use optlab_spec::Arm;
use optlab_spec::protocol::Environment;

use super::compared::Compared;
use crate::store::{Experiment, JobFigures, LastEvaluations, Store, StoreError};

/// The figures of the compared experiments.
#[derive(Default)]
pub(super) struct Figures {
    /// The cells in the order of the experiments and of the arms of their specs, then by seed.
    pub(super) all: Vec<Figure>,
    /// The environments of each job, by job id.
    pub(super) environments: HashMap<JobId, Vec<Environment>>,
}

/// A job with its figure. Its arm has the name that it has among the compared ones.
pub(super) struct Figure {
    pub(super) job: JobFigures,
    /// `None` if the job has not succeeded or has no such figure.
    pub(super) value: Option<f64>,
}

impl Figures {
    /// The figures of `metric`, which may be the mean of the `last` evaluations.
    pub(super) async fn read(
        store: &Store,
        compared: &Compared,
        metric: Metric,
        last: i64,
    ) -> Result<Self, StoreError> {
        let mut figures = Self::default();
        for experiment in &compared.experiments {
            let mut of_experiment = of_experiment(store, experiment, metric, last).await?;
            for figure in &mut of_experiment {
                figure.job.arm = compared.name(experiment.id, &figure.job.arm);
            }
            figures.all.append(&mut of_experiment);
            figures.environments.extend(store.environments(experiment.id).await?);
        }
        Ok(figures)
    }

    /// The cells of an arm.
    pub(super) fn of<'a>(&'a self, arm: &'a str) -> impl Iterator<Item = &'a Figure> {
        self.all.iter().filter(move |figure| figure.job.arm == arm)
    }

    /// `(seed, value)` of an arm's figures that have a value.
    pub(super) fn values(&self, arm: &str) -> Vec<(i64, f64)> {
        self.of(arm).filter_map(|figure| Some((figure.job.seed, figure.value?))).collect()
    }
}

async fn of_experiment(
    store: &Store,
    experiment: &Experiment,
    metric: Metric,
    last: i64,
) -> Result<Vec<Figure>, StoreError> {
    let jobs = store.figures(experiment.id).await?;
    let evaluations = match metric.evaluated() {
        Some(of) if of.of == Evaluations::Last => store.last_evaluations(experiment.id, of.set, last).await?,
        _ => HashMap::new(),
    };
    let first_steps = first_steps(experiment, last);
    let figure = |job: JobFigures| {
        let evaluations = evaluations.get(&job.job_id).filter(|found| {
            // A job with fewer stored evaluations has no such mean.
            found.n == last && Some(&Some(found.first_step)) == first_steps.get(job.arm.as_str())
        });
        Figure { value: value(metric, &job, evaluations), job }
    };
    Ok(jobs.into_iter().map(figure).collect())
}

/// For each arm, the step of the first of its last evaluations.
fn first_steps(experiment: &Experiment, last: i64) -> HashMap<&str, Option<i64>> {
    let first_step = |arm: &Arm| arm.train.evaluation_from_end(last as u64).map(|step| step as i64);
    experiment.spec.arms.iter().map(|arm| (arm.name.as_str(), first_step(arm))).collect()
}

fn value(metric: Metric, job: &JobFigures, last: Option<&LastEvaluations>) -> Option<f64> {
    if let Some(evaluated) = metric.evaluated() {
        let accuracy = match (evaluated.of, evaluated.set) {
            (Evaluations::Final, HeldOut::Test) => job.test_accuracy,
            (Evaluations::Best, HeldOut::Test) => job.best_test_accuracy,
            (Evaluations::Final, HeldOut::Validation) => job.validation_accuracy,
            (Evaluations::Best, HeldOut::Validation) => job.best_validation_accuracy,
            (Evaluations::Last, _) => last.map(|last| last.accuracy),
        };
        return accuracy.map(|accuracy| evaluated.of_accuracy(accuracy));
    }
    match metric {
        Metric::Energy => job.energy,
        Metric::Seconds => job.seconds,
        Metric::PeakMemory => job.peak_memory_bytes.map(|bytes| bytes as f64),
        _ => job.parameters_trained.map(|numbers| numbers as f64),
    }
}
