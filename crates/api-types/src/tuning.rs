//! The tuning of an experiment.

use std::collections::BTreeMap;

use optlab_domain::{Counts, EndReason, JobId, JobState, Phase};
use optlab_spec::{Halving, RangeSpec, Sampler};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// How far the arms of an experiment are tuned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TuningProgress {
    /// Its trials by state.
    pub trials: Counts,
    /// Number of tuned arms.
    pub arms: usize,
    /// Number of arms whose choice is frozen.
    pub frozen: usize,
    /// Number of choices that will be made soon, because all trials of the arm have ended, or once the experiment is
    /// resumed.
    pub due: usize,
    /// Number of confirming jobs that are queued once the choices are made.
    pub to_come: usize,
}

/// The tuning of an experiment: the trials and the choice of each arm. No figure in it is of the test set.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Tuning {
    /// Number of trials of each arm.
    pub trials: u64,
    /// Seeds of each trial.
    pub seeds: Vec<u64>,
    /// Seed that scrambles the points.
    pub seed: u64,
    /// How the points were chosen.
    pub sampler: Sampler,
    /// How trials are stopped early; null if all run to their ends.
    #[schema(value_type = Option<Halving>)]
    pub halving: Option<Halving>,
    /// Name of the arm that the others are compared with, if the spec has one.
    pub baseline: Option<String>,
    /// Training time of all trials of the baseline in seconds; null until they have ended.
    pub baseline_seconds: Option<f64>,
    /// The arms, in the order of the spec.
    pub arms: Vec<ArmTuning>,
}

/// The tuning of one arm.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ArmTuning {
    /// Its name.
    pub arm: String,
    /// `baseline`, `opt:cayley`, ...
    pub method: String,
    /// `trial` until its choice is frozen, then `confirm`.
    pub phase: Phase,
    /// Its ranges, by the paths of the fields.
    pub space: BTreeMap<String, RangeSpec>,
    /// Number of the chosen trial.
    pub chosen: Option<i64>,
    /// When the choice was frozen. It never changes afterwards.
    pub frozen_at: Option<String>,
    /// Why the choice is not made although no trial is waiting or running, and what to do.
    pub waits: Option<String>,
    /// Chosen values at the end of what was tried.
    pub warnings: Vec<String>,
    /// The trials, the best first; those that have no score yet, or failed, come last.
    pub candidates: Vec<Trial>,
    /// The lowest score of k trials that are drawn from these with replacement, for k from 1, once all have ended.
    /// Failed trials count with an error of 100 percent. Of Sobol points it is an approximation. Empty with `halving`,
    /// because the trials that were stopped early have no score.
    pub best_of: Vec<BestOf>,
    /// Mean training time of a trial in seconds, the runs of all seeds together. Runs that are not complete count with
    /// the time of their attempts. Null until all have ended.
    pub trial_seconds: Option<f64>,
    /// What the arm affords in the time of the baseline's tuning; null without a baseline, with `halving`, and until the
    /// trials of both have ended.
    pub in_baseline_time: Option<Afforded>,
    /// What was stopped early; null without `halving`.
    pub stopped_early: Option<StoppedEarly>,
}

/// The trials of an arm that were stopped early.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StoppedEarly {
    /// Their number.
    pub trials: usize,
    /// Number of updates that were left out.
    pub steps_saved: i64,
    /// Number of updates of all trials of the arm, if none were left out.
    pub steps: i64,
}

/// What an arm can try in some time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Afforded {
    /// Number of its trials that fit, if each takes the mean time; at most all.
    pub trials: usize,
    /// The lowest score of so many trials; null if the time is too short for one.
    pub best_of: Option<BestOf>,
}

/// The lowest score of some trials, over all draws, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BestOf {
    /// Its mean (Dodge et al., EMNLP 2019).
    pub expected: f64,
    /// Its 10th percentile.
    pub low: f64,
    /// Its 90th percentile.
    pub high: f64,
}

/// A trial: one point of the space of an arm.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Trial {
    /// Its number, from 0.
    pub trial: i64,
    /// The values of the tuned fields.
    pub point: BTreeMap<String, Value>,
    /// Place by the score, from 1; null without a score.
    pub rank: Option<usize>,
    /// Mean over the seeds of the last validation error in percent; null until every run is complete. A trial with a
    /// failed run, or one that was stopped early, has none, which is worse than any.
    pub score: Option<f64>,
    /// Whether the arm is confirmed with it.
    pub chosen: bool,
    /// Its runs by seed.
    pub runs: Vec<TrialRun>,
}

/// A run of a trial with one seed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TrialRun {
    /// The seed.
    pub seed: i64,
    /// Its job.
    #[schema(value_type = Option<i64>)]
    pub job_id: Option<JobId>,
    /// Its state; in a frozen choice, that of the moment of the choice.
    pub state: JobState,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// The last error on the validation set in percent; that of the rung if it was stopped there.
    pub validation_error: Option<f64>,
    /// Training time; of a run that is not complete, the time of its attempts.
    pub seconds: Option<f64>,
}
