//! Computes the comparison from the figures.

use optlab_api_types::{
    ArmResult, Bootstrap, Comparison, Difference, MissingCell, SeedValue, SpecDifference,
};
use optlab_domain::{Evaluated, HeldOut, Metric};
use optlab_spec::{ExperimentSpec, FieldDifference, MethodSpec};

use super::environments;
use super::figures::{Figure, Figures};
use crate::stats::{
    CannotTell, Contender, RESAMPLES, SEED, Verdict, adjust, paired_difference, pairs, spread, standing,
    verdict,
};
use crate::store::{Experiment, JobFigures};

/// An arm, with its difference from the baseline unless it is the baseline.
struct Arm<'a> {
    name: &'a str,
    method: String,
    pairs: Option<Vec<f64>>,
    difference: Option<Result<Difference, CannotTell>>,
}

/// The parameters of a comparison.
pub(super) struct Question {
    pub(super) metric: Metric,
    /// Number of evaluations in a mean of the last ones.
    pub(super) last: i64,
    /// The arm that the others are compared with.
    pub(super) baseline: Option<String>,
    /// Number of pairs that a conclusion needs.
    pub(super) pairs_needed: usize,
}

pub(super) fn compare(experiment: &Experiment, question: Question, figures: &Figures) -> Comparison {
    let Question { metric, last, baseline, pairs_needed } = question;
    let arms = arms(experiment, baseline.as_deref(), pairs_needed, figures);
    let contenders: Vec<Contender<'_>> = arms
        .iter()
        .filter_map(|arm| Some(Contender { arm: arm.name, difference: arm.difference? }))
        .collect();
    let settled = experiment.has_ended();
    let differences = experiment.spec.differences();
    let verdict = match &baseline {
        Some(baseline) => {
            let Verdict { text, about } = verdict(metric, baseline, &contenders, settled, pairs_needed);
            let rates = about.map(|arm| rates(&differences, [arm, baseline])).unwrap_or_default();
            format!("{text}{}{rates}{}", held_out(&experiment.spec, metric), budget(experiment))
        }
        None => no_baseline(&experiment.spec),
    };
    let environments = baseline.as_deref().map(|baseline| {
        let of = |contender: &Contender<'_>| environments::differences(figures, baseline, contender.arm);
        contenders.iter().flat_map(of).collect()
    });
    Comparison {
        metric,
        unit: metric.unit().to_owned(),
        higher_is_better: metric.higher_is_better(),
        selected_on_test_set: metric.is_selected_on_test_set(),
        last: metric.is_mean_of_last().then_some(last),
        verdict,
        missing: figures.all.iter().filter_map(missing).collect(),
        differences: differences
            .into_iter()
            .map(|field| SpecDifference {
                pointer: field.pointer,
                values: field.values.into_iter().collect(),
            })
            .collect(),
        environments: environments.unwrap_or_default(),
        arms: arms.iter().map(|arm| result(arm, metric, pairs_needed, figures)).collect(),
        bootstrap: Bootstrap { resamples: RESAMPLES, seed: SEED },
        baseline,
        pairs_needed,
    }
}

fn no_baseline(spec: &ExperimentSpec) -> String {
    let plain = spec.arms.iter().filter(|arm| matches!(arm.method, MethodSpec::Baseline { .. })).count();
    let why = match plain {
        0 => "no arm has the method `baseline`".to_owned(),
        plain => format!("{plain} arms have the method `baseline`"),
    };
    format!("No baseline: {why} and the spec names none. Choose an arm to compare the others with.")
}

/// The budget with which each arm was tuned, because a claim is as good as the settings of both sides.
fn budget(experiment: &Experiment) -> String {
    let spec = &experiment.spec;
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let Some(tune) = &spec.tune else {
        let is_comparison = spec.arms.len() > 1;
        return if is_comparison { " An untuned comparison: one setting per arm." } else { "" }.to_owned();
    };
    let trials = count(tune.trials as usize, "trial");
    let (seeds, fresh) = (count(tune.seeds.len(), "seed"), count(spec.seeds.len(), "fresh seed"));
    let open = experiment.tuning.filter(|tuning| tuning.frozen < tuning.arms);
    let open = open.map(|tuning| format!("; {} of {} choices are frozen", tuning.frozen, tuning.arms));
    format!(" Tuned on validation error: {trials} x {seeds} per arm; {fresh}{}.", open.unwrap_or_default())
}

/// Names the set that decided, if the experiment has two.
fn held_out(spec: &ExperimentSpec, metric: Metric) -> &'static str {
    let has_validation = spec.arms.iter().any(|arm| arm.train.data.validation > 0.0);
    match metric.evaluated() {
        Some(Evaluated { set: HeldOut::Test, .. }) if has_validation => {
            " Decided on the test set, not on the validation set."
        }
        Some(Evaluated { set: HeldOut::Validation, .. }) => " Decided on the validation set.",
        _ => "",
    }
}

/// The learning rates in which two arms differ.
fn rates(differences: &[FieldDifference], arms: [&str; 2]) -> String {
    let rates = differences.iter().filter(|field| field.pointer.ends_with("/learning_rate"));
    let listed: Vec<String> = rates
        .filter_map(|field| {
            let [arm, baseline] = arms.map(|name| field.values.get(name).filter(|value| !value.is_null()));
            let (arm, baseline) = (arm?, baseline?);
            let name = field.pointer[1..].replace('/', ".");
            (arm != baseline).then(|| format!("{name} is {arm} in {} and {baseline} in {}", arms[0], arms[1]))
        })
        .collect();
    if listed.is_empty() { String::new() } else { format!(" Rates differ: {}.", listed.join(", ")) }
}

fn arms<'a>(
    experiment: &'a Experiment,
    baseline: Option<&str>,
    pairs_needed: usize,
    figures: &Figures,
) -> Vec<Arm<'a>> {
    let reference = baseline.map(|baseline| figures.values(baseline));
    let of_spec = experiment.spec.arms.iter();
    let mut arms: Vec<Arm<'a>> = of_spec
        .map(|arm| {
            let reference = reference.as_ref().filter(|_| Some(arm.name.as_str()) != baseline);
            let pairs = reference.map(|reference| pairs(reference, &figures.values(&arm.name)));
            let difference = pairs.as_deref().map(paired_difference);
            Arm { name: &arm.name, method: arm.method.to_string(), pairs, difference }
        })
        .collect();
    let tested = arms.iter_mut().filter_map(|arm| arm.difference.as_mut()?.as_mut().ok());
    adjust(&mut tested.collect::<Vec<_>>(), pairs_needed);
    arms
}

fn result(arm: &Arm<'_>, metric: Metric, pairs_needed: usize, figures: &Figures) -> ArmResult {
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
        standing: arm.difference.and_then(|difference| standing(metric, &difference, pairs_needed)),
        cannot_tell: arm.difference.and_then(|difference| cannot_tell(&difference, pairs_needed)),
        values: seeds.into_iter().map(|(seed, value)| SeedValue { seed, value }).collect(),
    }
}

fn cannot_tell(difference: &Result<Difference, CannotTell>, pairs_needed: usize) -> Option<String> {
    let why = match *difference {
        Ok(Difference { n, .. }) if n >= pairs_needed => return None,
        Ok(Difference { n, .. }) => CannotTell::TooFewPairs { n },
        Err(why) => why,
    };
    Some(match why {
        CannotTell::TooFewPairs { .. } => format!("{why}, and {pairs_needed} are needed"),
        CannotTell::NoSpread { .. } => why.to_string(),
    })
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
