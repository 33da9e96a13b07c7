//! Tuned arms: their trials, and the choice that is frozen when the last of them has ended.

mod hold;
mod progress;

use optlab_domain::database::JsonText;
use optlab_domain::{EndReason, ExperimentId, Hold, JobId, JobState};
use optlab_spec::{JobSpec, Point};
use serde::{Deserialize, Serialize};
use sqlx_macros::FromRow;

use crate::stats::{by_score, score};
use crate::store::database::{Connect, sql};
use crate::store::{Store, StoreError};

pub(super) use hold::{chosen_without, hold_or_release, is_chosen_without, release_arm, release_failed_arm};
pub use progress::TuningProgress;
pub(super) use progress::{ArmInTuning, arms_in_tuning};

/// A run of a trial with one seed.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct TrialRun {
    /// Its job.
    pub job_id: JobId,
    /// The arm's name.
    pub arm: String,
    /// Number of the trial.
    pub trial: i64,
    /// The seed.
    pub seed: i64,
    /// Where it is in its life.
    pub state: JobState,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// Completed updates.
    pub step: i64,
    /// The step of the rung at which it waits.
    pub waits_at: Option<i64>,
    /// Updates of the whole run.
    pub steps: i64,
    /// The values of the tuned fields.
    pub point: JsonText<Point>,
    /// The last error on the validation set in percent, once it has succeeded. That of a rung if it was stopped there.
    pub validation_error: Option<f64>,
    /// Wall time of the run; of one that is not complete, the time of its attempts.
    pub seconds: Option<f64>,
}

/// A trial in a frozen choice, with all of its runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Number of the trial.
    pub trial: i64,
    /// The values of the tuned fields.
    pub point: Point,
    /// Mean of the last validation errors over the seeds; `None` if a run has failed or was stopped early, which counts
    /// as worst.
    pub score: Option<f64>,
    /// Its runs by seed.
    pub runs: Vec<CandidateRun>,
}

/// A run of a candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CandidateRun {
    /// The seed.
    pub seed: i64,
    /// Its state when the choice was made.
    pub state: JobState,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// The last error on the validation set in percent.
    pub validation_error: Option<f64>,
}

/// The choice of a tuned arm. What is not frozen yet is `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromRow)]
pub struct Choice {
    /// The arm's name.
    pub arm: String,
    /// Why no choice is made for now.
    pub held: Option<Hold>,
    /// Number of the chosen trial.
    pub trial: Option<i64>,
    /// Every trial of the arm, the best first.
    pub candidates: Option<JsonText<Vec<Candidate>>>,
    /// When the choice was frozen, milliseconds since the epoch.
    pub frozen_ms: Option<i64>,
}

/// Selects the runs of the trials of experiment $1 that `$which` names, by arm, trial and seed.
macro_rules! select_runs {
    ($which:literal) => {
        concat!(
            "SELECT job_id, arm, trial, seed, state, end_reason, step, waits_at, steps, coalesce(point, '{}') AS point, validation_error,
                 CASE WHEN state = 'failed' OR end_reason = 'stopped_early' THEN (
                     SELECT CAST(sum(ended_ms - started_ms) AS DOUBLE PRECISION) / 1000 FROM attempts a
                     WHERE a.job_id = trial_summary.job_id
                 ) ELSE seconds END AS seconds
             FROM trial_summary WHERE experiment_id = $1",
            $which,
            " ORDER BY arm, trial, seed"
        )
    };
}

impl Candidate {
    /// The trials of an arm with their scores, the best first. Its runs are ordered by trial.
    pub fn ranked(runs: &[TrialRun]) -> Vec<Self> {
        let trials = runs.chunk_by(|one, other| one.trial == other.trial);
        let mut candidates: Vec<Self> = trials.map(Self::of).collect();
        // Stable, so that of equal scores the first trial is chosen.
        candidates.sort_by(|one, other| by_score(one.score, other.score));
        candidates
    }

    fn of(runs: &[TrialRun]) -> Self {
        Self {
            trial: runs[0].trial,
            point: runs[0].point.0.clone(),
            score: score(runs.iter().map(TrialRun::last_error)),
            runs: runs.iter().map(CandidateRun::from).collect(),
        }
    }
}

impl TrialRun {
    /// Its error at the end of a complete run.
    fn last_error(&self) -> Option<f64> {
        self.validation_error.filter(|_| self.end_reason == Some(EndReason::Completed))
    }
}

impl From<&TrialRun> for CandidateRun {
    fn from(run: &TrialRun) -> Self {
        let TrialRun { seed, state, end_reason, validation_error, .. } = *run;
        Self { seed, state, end_reason, validation_error }
    }
}

impl Store {
    /// The runs of all trials of an experiment, by arm, trial and seed.
    pub async fn trials(&self, experiment: ExperimentId) -> Result<Vec<TrialRun>, StoreError> {
        sql(select_runs!("")).bind(experiment).fetch_all(&mut self.read().await?).await
    }

    /// The choices of the tuned arms of an experiment, by the names of the arms.
    pub async fn choices(&self, experiment: ExperimentId) -> Result<Vec<Choice>, StoreError> {
        choices(&mut self.read().await?, experiment).await
    }

    /// The settings of each arm whose choice is frozen: those of its confirming jobs.
    pub async fn chosen_jobs(&self, experiment: ExperimentId) -> Result<Vec<JobSpec>, StoreError> {
        let mut reader = self.read().await?;
        let mut jobs = Vec::new();
        for choice in choices(&mut reader, experiment).await? {
            jobs.extend(chosen_job(&mut reader, experiment, &choice.arm).await?);
        }
        Ok(jobs)
    }
}

/// The runs of the trials of an arm, by trial and seed.
pub(super) async fn runs_of_arm(
    on: &mut impl Connect,
    experiment: ExperimentId,
    arm: &str,
) -> Result<Vec<TrialRun>, StoreError> {
    sql(select_runs!(" AND arm = $2")).bind(experiment).bind(arm).fetch_all(on).await
}

pub(super) async fn choices(
    on: &mut impl Connect,
    experiment: ExperimentId,
) -> Result<Vec<Choice>, StoreError> {
    sql("SELECT arm, held, trial, candidates, frozen_ms FROM tunings WHERE experiment_id = $1 ORDER BY arm")
        .bind(experiment)
        .fetch_all(on)
        .await
}

/// A job of the chosen trial of an arm; `None` as long as the choice is open.
pub(super) async fn chosen_job(
    on: &mut impl Connect,
    experiment: ExperimentId,
    arm: &str,
) -> Result<Option<JobSpec>, StoreError> {
    let spec: Option<(String,)> = sql("SELECT j.spec FROM tunings t
         JOIN jobs j ON j.experiment_id = t.experiment_id AND j.arm = t.arm AND j.phase = 'trial' AND j.trial = t.trial
         WHERE t.experiment_id = $1 AND t.arm = $2 ORDER BY j.seed LIMIT 1")
    .bind(experiment)
    .bind(arm)
    .fetch_optional(on)
    .await?;
    spec.map(|(spec,)| Ok(JobSpec::from_stored(&serde_json::from_str(&spec)?)?)).transpose()
}
