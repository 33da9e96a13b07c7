//! Chooses the trials of an arm that go on from a rung, and stops the others there, once and in one transaction.

use optlab_domain::{ExperimentId, JobId, JobState, series};
use optlab_spec::Halving;
use sqlx_macros::FromRow;

use super::freeze::{Made, hold, lock_trials};
use crate::stats::{by_score, score};
use crate::store::StoreError;
use crate::store::database::{Transaction, sql};
use crate::store::results::{insert_result, last_point};
use crate::store::version::next_version;

/// Selects the arms of which every trial has ended or has reached a rung, and one waits there. A paused or cancelled trial
/// has not ended: without it, the arm would have had fewer trials than the others. $1: a trial, or NULL for all arms.
pub(super) const DUE: &str = "SELECT t.experiment_id, t.arm FROM tunings t
     WHERE t.frozen_ms IS NULL AND t.held IS NULL
       AND ($1 IS NULL OR EXISTS (
           SELECT 1 FROM jobs j WHERE j.id = $1 AND j.experiment_id = t.experiment_id AND j.arm = t.arm
       ))
       AND EXISTS (
           SELECT 1 FROM jobs j
           WHERE j.experiment_id = t.experiment_id AND j.arm = t.arm AND j.state = 'queued' AND j.waits_at IS NOT NULL
       )
       AND NOT EXISTS (
           SELECT 1 FROM jobs j
           WHERE j.experiment_id = t.experiment_id AND j.arm = t.arm AND j.phase = 'trial'
             AND NOT (j.state IN ('succeeded', 'failed') OR j.state = 'queued' AND j.waits_at IS NOT NULL)
       )
     ORDER BY t.experiment_id, t.arm";

/// A run of a trial.
#[derive(Debug, FromRow)]
struct Run {
    id: JobId,
    trial: i64,
    state: JobState,
    rungs_passed: i64,
    waits_at: Option<i64>,
    /// Its last validation error in percent.
    error: Option<f64>,
}

impl Run {
    fn waits(&self) -> bool {
        self.state == JobState::Queued && self.waits_at.is_some()
    }
}

/// The runs of an arm that wait at a rung.
#[derive(Default)]
struct Chosen {
    go_on: Vec<JobId>,
    stop: Vec<JobId>,
}

/// Makes the choice; `None` if it is not due, because another process was faster or a person has acted meanwhile.
pub(super) async fn halve(
    tx: &mut Transaction,
    experiment: ExperimentId,
    arm: &str,
    now: i64,
) -> Result<Option<Made>, StoreError> {
    let spec = lock_trials(tx, experiment, arm).await?;
    let Some(halving) = spec.tune.and_then(|tune| tune.halving) else { return Ok(None) };
    let runs: Vec<Run> = sql(concat!(
        "SELECT j.id, j.trial, j.state, j.rungs_passed, j.waits_at, 100 - ",
        last_point!("$3", "j.id"),
        " AS error
         FROM jobs j WHERE j.experiment_id = $1 AND j.arm = $2 AND j.phase = 'trial' ORDER BY j.trial, j.seed"
    ))
    .bind(experiment)
    .bind(arm)
    .bind(series::VALIDATION_ACCURACY)
    .fetch_all(tx)
    .await?;
    let decided = sql("SELECT rungs_decided FROM tunings WHERE experiment_id = $1 AND arm = $2");
    let rung = decided.bind(experiment).bind(arm).fetch_number(tx).await?;
    let Some(Chosen { go_on, stop }) = choose(&halving, &runs, rung) else { return Ok(None) };
    if go_on.is_empty() {
        return hold(tx, experiment, arm).await;
    }
    let decide = sql("UPDATE tunings SET rungs_decided = rungs_decided + 1
         WHERE experiment_id = $1 AND arm = $2 AND frozen_ms IS NULL AND held IS NULL");
    if decide.bind(experiment).bind(arm).execute(tx).await? == 0 {
        return Ok(None);
    }
    let version = next_version(tx).await?;
    for &job in &go_on {
        sql("UPDATE jobs SET rungs_passed = rungs_passed + 1, waits_at = NULL, not_before_ms = $3, version = $2
             WHERE id = $1")
        .bind(job)
        .bind(version)
        .bind(now)
        .execute_one(tx)
        .await?;
    }
    for &job in &stop {
        stop_early(tx, job, version, now).await?;
    }
    Ok(Some(Made::Halved { go_on: go_on.len(), stop: stop.len() }))
}

async fn stop_early(tx: &mut Transaction, job: JobId, version: i64, now: i64) -> Result<(), StoreError> {
    insert_result(tx, job, None).await?;
    sql("UPDATE jobs
         SET state = 'succeeded', end_reason = 'stopped_early', step = waits_at, waits_at = NULL, ended_ms = $3,
             started_ms = (SELECT a.started_ms FROM attempts a WHERE a.job_id = jobs.id AND a.number = jobs.attempt),
             version = $2
         WHERE id = $1")
    .bind(job)
    .bind(version)
    .bind(now)
    .execute_one(tx)
    .await
}

/// The best trials go on, by the mean error of their runs at the rung; of equal ones, the first. A trial with a failed run
/// stops, because its score can only be the worst. `None` as long as a run is on its way.
fn choose(halving: &Halving, runs: &[Run], rung: i64) -> Option<Chosen> {
    let has_reached = |run: &Run| run.waits() || matches!(run.state, JobState::Succeeded | JobState::Failed);
    if !runs.iter().any(Run::waits) || !runs.iter().all(has_reached) {
        return None;
    }
    let trials = runs.chunk_by(|one, other| one.trial == other.trial);
    let mut trials: Vec<&[Run]> =
        trials.filter(|runs| runs.iter().any(|run| run.rungs_passed == rung)).collect();
    let of = |runs: &[Run]| score(runs.iter().map(|run| run.error.filter(|_| run.state != JobState::Failed)));
    trials.sort_by(|one, other| by_score(of(one), of(other)));
    let mut chosen = Chosen::default();
    for (place, runs) in trials.iter().enumerate() {
        let goes_on = place < halving.kept(trials.len()) && of(runs).is_some();
        let waiting = runs.iter().filter(|run| run.waits()).map(|run| run.id);
        if goes_on { chosen.go_on.extend(waiting) } else { chosen.stop.extend(waiting) }
    }
    Some(chosen)
}
