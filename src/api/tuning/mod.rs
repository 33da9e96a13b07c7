//! `/experiments/{id}/tuning`: the trials and the choice of each arm.

mod edge;

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use optlab_api_types::{Afforded, ArmTuning, BestOf, StoppedEarly, Trial, TrialRun, Tuning, TuningProgress};
use optlab_domain::database::JsonText;
use optlab_domain::time::rfc3339;
use optlab_domain::{Counts, EndReason, ExperimentId, Hold, JobState, Phase};
use optlab_spec::{Arm, ExperimentSpec, TuneSpec};

use super::error::ApiError;
use super::extract::Path;
use super::state::AppState;
use crate::stats;
use crate::store::{self, Candidate, Choice, StoreError};

/// The tuning of an experiment: the trials of each arm with their validation errors, and its choice.
#[utoipa::path(get, path = "/api/v1/experiments/{id}/tuning", tag = "metrics",
    responses((status = 200, body = Tuning)))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
) -> Result<Json<Tuning>, ApiError> {
    let spec = state.store.experiment(id).await?.spec;
    let tuning = of(&state, id, &spec).await?;
    tuning.map(Json).ok_or_else(|| {
        ApiError::not_found(format!("experiment {id} is not tuned: its spec has no table `tune`"))
    })
}

/// The tuning of an experiment with this spec; `None` if it is not tuned.
pub(super) async fn of(
    state: &AppState,
    id: ExperimentId,
    spec: &ExperimentSpec,
) -> Result<Option<Tuning>, StoreError> {
    let Some(tune) = &spec.tune else { return Ok(None) };
    // The choices first: whatever is frozen in them has its trials in the second answer.
    let choices = state.store.choices(id).await?;
    let runs = state.store.trials(id).await?;
    let arms = spec.arms.iter().filter_map(|arm| {
        let choice = choices.iter().find(|choice| choice.arm == arm.name)?;
        Some(of_arm(arm, tune, choice, &runs))
    });
    let mut arms: Vec<ArmTuning> = arms.collect();
    let baseline = arms.iter().find(|arm| Some(&arm.arm) == spec.baseline.as_ref());
    let baseline_seconds = baseline.and_then(|arm| Some(arm.trial_seconds? * tune.trials as f64));
    for arm in &mut arms {
        arm.in_baseline_time = baseline_seconds.and_then(|seconds| afforded(arm, seconds));
    }
    Ok(Some(Tuning {
        trials: tune.trials,
        seeds: tune.seeds.clone(),
        seed: tune.seed,
        sampler: tune.sampler,
        halving: tune.halving.clone(),
        baseline: spec.baseline.clone(),
        baseline_seconds,
        arms,
    }))
}

/// The trials that an arm affords in `seconds`; `None` until all of them have ended.
fn afforded(arm: &ArmTuning, seconds: f64) -> Option<Afforded> {
    // A sum of times is not exactly the product with their mean.
    let affordable = (seconds / arm.trial_seconds? + 1e-9) as usize;
    let trials = affordable.min(arm.best_of.len());
    let best_of = trials.checked_sub(1).and_then(|before| arm.best_of.get(before).copied());
    (!arm.best_of.is_empty()).then_some(Afforded { trials, best_of })
}

fn of_arm(arm: &Arm, tune: &TuneSpec, choice: &Choice, runs: &[store::TrialRun]) -> ArmTuning {
    let runs: Vec<store::TrialRun> = runs.iter().filter(|run| run.arm == arm.name).cloned().collect();
    let space = arm.tune.clone().unwrap_or_default();
    let candidates = match &choice.candidates {
        Some(JsonText(frozen)) => frozen.clone(),
        None => Candidate::ranked(&runs),
    };
    let mut counts = Counts::default();
    runs.iter().for_each(|run| *counts.get_mut(run.state) += 1);
    let scores: Vec<Option<f64>> = candidates.iter().map(|candidate| candidate.score).collect();
    let have_ended = counts.unfinished() + counts.cancelled == 0;
    let best_of = if have_ended && tune.halving.is_none() { stats::best_of(&scores) } else { Vec::new() };
    let known: HashMap<(i64, i64), &store::TrialRun> =
        runs.iter().map(|run| ((run.trial, run.seed), run)).collect();
    ArmTuning {
        arm: arm.name.clone(),
        method: arm.method.to_string(),
        phase: if choice.frozen_ms.is_some() { Phase::Confirm } else { Phase::Trial },
        chosen: choice.trial,
        frozen_at: choice.frozen_ms.map(rfc3339),
        waits: waits(choice, &runs, counts),
        warnings: edge::warnings(&arm.name, &space, choice.trial, &candidates),
        best_of: best_of.into_iter().map(BestOf::from).collect(),
        trial_seconds: trial_seconds(&runs),
        in_baseline_time: None,
        stopped_early: tune.halving.is_some().then(|| stopped_early(&runs)),
        candidates: (1..).zip(candidates).map(|(place, one)| trial(place, one, choice, &known)).collect(),
        space,
    }
}

/// A trial with a failed run has failed, whatever became of its other runs.
fn stopped_early(runs: &[store::TrialRun]) -> StoppedEarly {
    let is_stopped = |run: &store::TrialRun| run.end_reason == Some(EndReason::StoppedEarly);
    let trials = runs.chunk_by(|one, other| one.trial == other.trial);
    let stopped = runs.iter().filter(|run| is_stopped(run));
    StoppedEarly {
        trials: trials.filter(|runs| runs.iter().all(is_stopped)).count(),
        steps_saved: stopped.map(|run| run.steps - run.step).sum(),
        steps: runs.iter().map(|run| run.steps).sum(),
    }
}

/// Mean training time of the trials, whose runs are in order; `None` if that of a run is unknown.
fn trial_seconds(runs: &[store::TrialRun]) -> Option<f64> {
    let sum: f64 = runs.iter().map(|run| run.seconds).sum::<Option<f64>>()?;
    let trials = runs.chunk_by(|one, other| one.trial == other.trial).count();
    (trials > 0).then(|| sum / trials as f64)
}

fn trial(
    place: usize,
    candidate: Candidate,
    choice: &Choice,
    known: &HashMap<(i64, i64), &store::TrialRun>,
) -> Trial {
    let Candidate { trial, point, score, runs } = candidate;
    let of_seed = |seed: i64| known.get(&(trial, seed));
    let run = |run: store::CandidateRun| TrialRun {
        seed: run.seed,
        job_id: of_seed(run.seed).map(|known| known.job_id),
        seconds: of_seed(run.seed).and_then(|known| known.seconds),
        state: run.state,
        end_reason: run.end_reason,
        validation_error: run.validation_error,
    };
    Trial {
        trial,
        point,
        rank: score.map(|_| place),
        score,
        chosen: choice.trial == Some(trial),
        runs: runs.into_iter().map(run).collect(),
    }
}

/// Why no choice is made although no trial runs or waits for a slot.
fn waits(choice: &Choice, runs: &[store::TrialRun], trials: Counts) -> Option<String> {
    let at_rung = runs.iter().filter(|run| run.state == JobState::Queued && run.waits_at.is_some()).count();
    if choice.frozen_ms.is_some() || trials.running > 0 || trials.queued > at_rung as i64 {
        return None;
    }
    let Counts { cancelled, paused, .. } = trials;
    let same = "because every arm is chosen from the same number of trials";
    Some(match choice.held {
        Some(Hold::Paused) => "the experiment is paused; resume it, and the choice is made".to_owned(),
        Some(Hold::Failed) => nothing_to_choose(at_rung, stopped_early(runs).trials),
        _ if cancelled > 0 => format!("{cancelled} of its trials were cancelled; retry them, {same}"),
        _ if paused > 0 => format!("{paused} of its trials are paused; resume them, {same}"),
        Some(Hold::Cancelled) => "the experiment was cancelled; a retry makes the choice".to_owned(),
        None => "the choice is about to be made".to_owned(),
    })
}

fn nothing_to_choose(at_rung: usize, stopped: usize) -> String {
    match (at_rung, stopped) {
        (1.., _) => {
            "each trial has a failed run, so none can go on from its rung; retry the failed ones".to_owned()
        }
        (0, 0) => "every trial has failed, so there is nothing to choose; retry them, or submit other ranges"
            .to_owned(),
        (0, stopped) => format!(
            "no trial is complete: {stopped} were stopped early and the others have failed; retry those, or submit other \
             ranges"
        ),
    }
}

impl From<stats::BestOf> for BestOf {
    fn from(best: stats::BestOf) -> Self {
        let stats::BestOf { expected, low, high } = best;
        Self { expected, low, high }
    }
}

impl From<store::TuningProgress> for TuningProgress {
    fn from(progress: store::TuningProgress) -> Self {
        let store::TuningProgress { trials, arms, frozen, due, to_come } = progress;
        Self { trials, arms, frozen, due, to_come }
    }
}
