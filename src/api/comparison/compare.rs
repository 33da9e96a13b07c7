//! Computes the comparison from the figures.

use optlab_api_types::{
    ArmResult, Bootstrap, ComparedExperiment, Comparison, Difference, MissingCell, SeedValue, SpecDifference,
};
use optlab_domain::{ExperimentId, Metric, Standing, series};
use optlab_spec::{ComparedArm, FieldDifference, LeastEnergy, Mismatch, mismatch};

use super::compared::Compared;
use super::figures::{Figure, Figures};
use super::{environments, sentences};
use crate::stats::{
    CannotTell, Contender, RESAMPLES, SEED, Verdict, adjust, paired_difference, pairs, spread, standing,
    verdict, wins,
};
use crate::store::{Experiment, JobFigures};

/// An arm, with its difference from the baseline unless it is the baseline.
struct Arm {
    experiment: ExperimentId,
    name: String,
    method: String,
    least_energy: Option<LeastEnergy>,
    against: Option<Against>,
}

/// An arm against the baseline.
enum Against {
    Paired { pairs: Vec<f64>, difference: Result<Difference, CannotTell> },
    NotPaired(Mismatch),
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

pub(super) fn compare(compared: &Compared, question: Question, figures: &Figures) -> Comparison {
    let named: Vec<(ExperimentId, ComparedArm<'_>)> = compared.arms().collect();
    let arms = arms(&named, &question, figures);
    let (_, named): (Vec<ExperimentId>, Vec<ComparedArm<'_>>) = named.into_iter().unzip();
    let differences = optlab_spec::differences(&named);
    let verdict = sum_up(compared, &question, &arms, &differences);
    let Question { metric, last, baseline, pairs_needed } = question;
    let environments = baseline.as_deref().map(|baseline| {
        let of = |contender: Contender<'_>| environments::differences(figures, baseline, contender.arm);
        contenders(&arms).into_iter().flat_map(of).collect()
    });
    Comparison {
        experiments: compared.experiments.iter().map(experiment).collect(),
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

fn experiment(experiment: &Experiment) -> ComparedExperiment {
    ComparedExperiment { id: experiment.id, name: experiment.name.clone() }
}

/// The verdict over all arms that can be compared, and the reasons why others cannot.
fn sum_up(compared: &Compared, question: &Question, arms: &[Arm], differences: &[FieldDifference]) -> String {
    let &Question { metric, pairs_needed, .. } = question;
    let Some(baseline) = question.baseline.as_deref() else { return sentences::no_baseline(compared) };
    let apart = sentences::no_verdict(arms.iter().filter_map(|arm| match &arm.against {
        Some(Against::NotPaired(why)) => Some((arm.name.as_str(), why)),
        _ => None,
    }));
    let contenders = contenders(arms);
    if let (Some(apart), true) = (&apart, contenders.is_empty()) {
        return apart.clone();
    }
    let Verdict { text, about } = verdict(metric, baseline, &contenders, compared.is_settled(), pairs_needed);
    let apart = apart.map(|apart| format!(" {apart}")).unwrap_or_default();
    let of_pair = about.map(|arm| {
        let rates = sentences::rates(compared, differences, [arm, baseline]);
        let conditions = match compared.are_several() {
            true => sentences::conditions(differences, [arm, baseline]),
            false => String::new(),
        };
        rates + &conditions
    });
    let (held_out, budget) = (sentences::held_out(compared, metric), sentences::budget(compared));
    format!("{text}{held_out}{}{apart}{budget}", of_pair.unwrap_or_default())
}

fn contenders(arms: &[Arm]) -> Vec<Contender<'_>> {
    let paired = arms.iter().filter_map(|arm| match &arm.against {
        Some(Against::Paired { difference, .. }) => {
            Some(Contender { arm: &arm.name, difference: *difference })
        }
        _ => None,
    });
    paired.collect()
}

fn arms(named: &[(ExperimentId, ComparedArm<'_>)], question: &Question, figures: &Figures) -> Vec<Arm> {
    let baseline = question.baseline.as_deref();
    let baseline = named.iter().map(|(_, arm)| arm).find(|arm| Some(arm.name.as_str()) == baseline);
    let reference = baseline.map(|baseline| (baseline, figures.values(&baseline.name)));
    let against = |arm: &ComparedArm<'_>| {
        let (baseline, reference) = reference.as_ref().filter(|(baseline, _)| baseline.name != arm.name)?;
        if let Some(why) = mismatch(&arm.arm.train, &baseline.arm.train, question.metric) {
            return Some(Against::NotPaired(why));
        }
        let pairs = pairs(reference, &figures.values(&arm.name));
        Some(Against::Paired { difference: paired_difference(&pairs), pairs })
    };
    let mut arms: Vec<Arm> = named
        .iter()
        .map(|(experiment, arm)| Arm {
            experiment: *experiment,
            name: arm.name.clone(),
            method: arm.arm.method.to_string(),
            least_energy: arm.arm.train.least_energy(series::ENERGY_MEAN),
            against: against(arm),
        })
        .collect();
    let tested = arms.iter_mut().filter_map(|arm| match &mut arm.against {
        Some(Against::Paired { difference, .. }) => difference.as_mut().ok(),
        _ => None,
    });
    adjust(&mut tested.collect::<Vec<_>>(), question.pairs_needed);
    arms
}

fn result(arm: &Arm, metric: Metric, pairs_needed: usize, figures: &Figures) -> ArmResult {
    let seeds = figures.values(&arm.name);
    let values: Vec<f64> = seeds.iter().map(|(_, value)| *value).collect();
    let of_values = spread(&values);
    let mean = |pick: fn(&JobFigures) -> Option<f64>| {
        let values: Vec<f64> = figures.of(&arm.name).filter_map(|figure| pick(&figure.job)).collect();
        spread(&values).map(|spread| spread.mean)
    };
    let energy = mean(|job| job.energy);
    let (pairs, difference) = match &arm.against {
        Some(Against::Paired { pairs, difference }) => (Some(pairs.as_slice()), Some(difference)),
        Some(Against::NotPaired(_)) => (Some(&[][..]), None),
        None => (None, None),
    };
    let (standing, cannot_tell) = match &arm.against {
        Some(Against::Paired { difference, .. }) => {
            (standing(metric, difference, pairs_needed), cannot_tell(difference, pairs_needed))
        }
        Some(Against::NotPaired(why)) => (Some(Standing::NotComparable), Some(why.to_string())),
        None => (None, None),
    };
    ArmResult {
        arm: arm.name.clone(),
        experiment_id: arm.experiment,
        method: arm.method.clone(),
        n: values.len(),
        mean: of_values.map(|spread| spread.mean),
        std: of_values.and_then(|spread| spread.std),
        energy,
        energy_excess: energy.zip(arm.least_energy).map(|(energy, least)| least.excess(energy)),
        seconds: mean(|job| job.seconds),
        pairs: pairs.map(<[f64]>::len),
        mean_difference: pairs.and_then(spread).map(|spread| spread.mean),
        difference: difference.and_then(|difference| difference.ok()),
        wins: pairs.and_then(|pairs| wins(pairs, metric.higher_is_better()?)),
        standing,
        cannot_tell,
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
