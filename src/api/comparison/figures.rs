//! The figures of a comparison, one for each arm and seed.

use std::collections::HashMap;

use optlab_domain::{JobId, Metric, series};
use optlab_spec::Arm;
use optlab_spec::protocol::Environment;

use crate::store::{Experiment, JobFigures, LastEvaluations, Store, StoreError};

/// The figures of an experiment.
pub(super) struct Figures {
    /// The cells in the order of the spec's arms, then by seed.
    pub(super) all: Vec<Figure>,
    /// The environments of each job, by job id.
    pub(super) environments: HashMap<JobId, Vec<Environment>>,
}

/// A job with its figure.
pub(super) struct Figure {
    pub(super) job: JobFigures,
    /// `None` if the job has not succeeded or has no such figure.
    pub(super) value: Option<f64>,
}

impl Figures {
    /// The figures of `metric`, which may be the mean of the `last` evaluations.
    pub(super) async fn read(
        store: &Store,
        experiment: &Experiment,
        metric: Metric,
        last: i64,
    ) -> Result<Self, StoreError> {
        let jobs = store.figures(experiment.id).await?;
        let evaluations = match metric.is_mean_of_last() {
            true => store.last_evaluations(experiment.id, last).await?,
            false => HashMap::new(),
        };
        let first_steps = first_steps(experiment, last);
        let figure = |job: JobFigures| {
            let evaluations = evaluations.get(&job.job_id).filter(|found| {
                // A job with fewer stored evaluations has no such mean.
                found.n == last && Some(&Some(found.first_step)) == first_steps.get(job.arm.as_str())
            });
            Figure { value: value(metric, &job, evaluations), job }
        };
        let environments = store.environments(experiment.id).await?;
        Ok(Self { all: jobs.into_iter().map(figure).collect(), environments })
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

/// For each arm, the step of the first of its last evaluations.
fn first_steps(experiment: &Experiment, last: i64) -> HashMap<&str, Option<i64>> {
    let first_step = |arm: &Arm| arm.train.evaluation_from_end(last as u64).map(|step| step as i64);
    experiment.spec.arms.iter().map(|arm| (arm.name.as_str(), first_step(arm))).collect()
}

fn value(metric: Metric, job: &JobFigures, last: Option<&LastEvaluations>) -> Option<f64> {
    let last = last.map(|last| last.test_accuracy);
    match metric {
        Metric::TestAccuracy => job.test_accuracy,
        Metric::BestTestAccuracy => job.best_test_accuracy,
        Metric::LastTestAccuracy => last,
        Metric::TestError => job.test_accuracy.map(series::error_of),
        Metric::BestTestError => job.best_test_accuracy.map(series::error_of),
        Metric::LastTestError => last.map(series::error_of),
        Metric::Energy => job.energy,
        Metric::Seconds => job.seconds,
        Metric::PeakMemory => job.peak_memory_bytes.map(|bytes| bytes as f64),
        Metric::ParametersTrained => job.parameters_trained.map(|numbers| numbers as f64),
    }
}
