//! Computes the comparison from the figures.

use optlab_api_types::{
    ArmResult, Bootstrap, Comparison, Difference, MissingCell, SeedValue, SpecDifference,
};
use optlab_domain::Metric;

use super::environments;
use super::figures::{Figure, Figures};
use crate::stats::{
    CannotTell, Contender, RESAMPLES, SEED, adjust, paired_difference, pairs, spread, verdict,
};
use crate::store::{Experiment, JobFigures};

/// An arm, with its difference from the baseline unless it is the baseline.
struct Arm<'a> {
    name: &'a str,
    method: String,
    pairs: Option<Vec<f64>>,
    difference: Option<Result<Difference, CannotTell>>,
}

pub(super) fn compare(
    experiment: &Experiment,
    metric: Metric,
    last: i64,
    baseline: String,
    figures: &Figures,
) -> Comparison {
    let arms = arms(experiment, &baseline, figures);
    let contenders: Vec<Contender<'_>> = arms
        .iter()
        .filter_map(|arm| Some(Contender { arm: arm.name, difference: arm.difference? }))
        .collect();
    let counts = experiment.counts;
    let settled = counts.queued + counts.running + counts.paused == 0;
    let of_spec = experiment.spec.differences().into_iter();
    Comparison {
        metric,
        unit: metric.unit().to_owned(),
        higher_is_better: metric.higher_is_better(),
        selected_on_test_set: metric.is_selected_on_test_set(),
        last: metric.is_mean_of_last().then_some(last),
        verdict: verdict(metric, &baseline, &contenders, settled),
        missing: figures.all.iter().filter_map(missing).collect(),
        differences: of_spec
            .map(|field| SpecDifference {
                pointer: field.pointer,
                values: field.values.into_iter().collect(),
            })
            .collect(),
        environments: contenders
            .iter()
            .flat_map(|contender| environments::differences(figures, &baseline, contender.arm))
            .collect(),
        arms: arms.iter().map(|arm| result(arm, figures)).collect(),
        bootstrap: Bootstrap { resamples: RESAMPLES, seed: SEED },
        baseline,
    }
}

fn arms<'a>(experiment: &'a Experiment, baseline: &str, figures: &Figures) -> Vec<Arm<'a>> {
    let reference = figures.values(baseline);
    let of_spec = experiment.spec.arms.iter();
    let mut arms: Vec<Arm<'a>> = of_spec
        .map(|arm| {
            let pairs = (arm.name != baseline).then(|| pairs(&reference, &figures.values(&arm.name)));
            let difference = pairs.as_deref().map(paired_difference);
            Arm { name: &arm.name, method: arm.method.to_string(), pairs, difference }
        })
        .collect();
    let tested = arms.iter_mut().filter_map(|arm| arm.difference.as_mut()?.as_mut().ok());
    adjust(&mut tested.collect::<Vec<_>>());
    arms
}

fn result(arm: &Arm<'_>, figures: &Figures) -> ArmResult {
    let seeds = figures.values(arm.name);
    let values: Vec<f64> = seeds.iter().map(|(_, value)| *value).collect();
    let of_values = spread(&values);
    let mean = |pick: fn(&JobFigures) -> Option<f64>| {
        let values: Vec<f64> = figures.of(arm.name).filter_map(|figure| pick(&figure.job)).collect();
        spread(&values).map(|spread| spread.mean)
    };
    ArmResult {
        arm: arm.name.to_owned(),
        method: arm.method.clone(),
        n: values.len(),
        mean: of_values.map(|spread| spread.mean),
        std: of_values.and_then(|spread| spread.std),
        energy: mean(|job| job.energy),
        seconds: mean(|job| job.seconds),
        pairs: arm.pairs.as_ref().map(Vec::len),
        mean_difference: arm.pairs.as_deref().and_then(spread).map(|spread| spread.mean),
        difference: arm.difference.and_then(Result::ok),
        cannot_tell: arm.difference.and_then(Result::err).map(|why| why.to_string()),
        values: seeds.into_iter().map(|(seed, value)| SeedValue { seed, value }).collect(),
    }
}

fn missing(figure: &Figure) -> Option<MissingCell> {
    let job = &figure.job;
    figure.value.is_none().then(|| MissingCell {
        arm: job.arm.clone(),
        seed: job.seed,
        job_id: job.job_id,
        state: job.state,
        end_reason: job.end_reason,
        error: job.error.clone(),
    })
}
