//! Actions of people on one job or on all jobs of an experiment: [`lifecycle::act`] decides, and this module stores it.

use optlab_domain::lifecycle::{self, Change};
use optlab_domain::{Action, ExperimentId, JobId, JobState, Request};

use crate::store::database::{Transaction, locked, sql};
use crate::store::tuning::{chosen_without, hold_or_release, is_chosen_without, release_arm};
use crate::store::version::next_version;
use crate::store::{NotFound, Store, StoreError};

/// The jobs to which an action applies.
#[derive(Clone, Copy)]
enum Scope {
    Job(JobId),
    Experiment(ExperimentId),
}

/// Version and time of an action, the same for all of its jobs.
#[derive(Clone, Copy)]
struct Stamp {
    version: i64,
    now: i64,
}

/// The statements of a change: for one job, and for the jobs of an experiment. $1: id; $2: version; $3: now; $4 and $5:
/// the present state and request; $6: the new request.
macro_rules! change {
    ($sets:literal $(, $unless:expr)*) => {
        (
            concat!("UPDATE jobs SET ", $sets, ", version = $2 WHERE id = $1", change!(), $($unless),*),
            concat!("UPDATE jobs SET ", $sets, ", version = $2 WHERE experiment_id = $1", change!(), $($unless),*),
        )
    };
    () => {
        " AND state = $4 AND requested IS NOT DISTINCT FROM $5"
    };
}

impl Store {
    /// Applies `action` to a job. Nothing happens if there is nothing to change.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] if [`lifecycle::act`] rejects it.
    pub async fn act_on_job(&self, job: JobId, action: Action) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let (state, request) = locked(&mut tx, job).await?;
        let change = match lifecycle::act(action, state, request) {
            Ok(Some(change)) => change,
            other => {
                // A dropped transaction ends later, and claims skip locked jobs.
                tx.rollback().await?;
                other.map_err(|refusal| StoreError::Conflict(format!("job {job} {refusal}")))?;
                // The read state may come from a file that the next process will not open.
                return self.database.check_files();
            }
        };
        if change == Change::Requeue && is_chosen_without(&mut tx, job).await? {
            tx.rollback().await?;
            return Err(StoreError::Conflict(format!(
                "job {job} is a trial, and its arm has chosen without it, so a retry would not count"
            )));
        }
        let stamp = self.stamp(&mut tx).await?;
        apply(&mut tx, Scope::Job(job), (state, request), change, stamp).await?;
        release_arm(&mut tx, job, action).await?;
        self.commit_action(tx, action).await
    }

    /// Applies `action` to every job for which it is possible, and returns the number of jobs that it changed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn act_on_experiment(
        &self,
        experiment: ExperimentId,
        action: Action,
    ) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        lock(&mut tx, experiment).await?;
        let stamp = self.stamp(&mut tx).await?;
        // A later statement may find a job that an earlier one has changed; a repeated action changes nothing.
        let mut changed = 0;
        for (state, request) in lifecycle::situations() {
            if let Ok(Some(change)) = lifecycle::act(action, state, request) {
                changed +=
                    apply(&mut tx, Scope::Experiment(experiment), (state, request), change, stamp).await?;
            }
        }
        hold_or_release(&mut tx, experiment, action).await?;
        self.commit_action(tx, action).await?;
        if matches!(action, Action::Resume | Action::Retry) {
            self.try_to_choose(None).await;
        }
        Ok(changed)
    }

    async fn stamp(&self, tx: &mut Transaction) -> Result<Stamp, StoreError> {
        Ok(Stamp { version: next_version(tx).await?, now: self.now(tx).await? })
    }

    async fn commit_action(&self, tx: Transaction, action: Action) -> Result<(), StoreError> {
        match action {
            Action::Resume | Action::Retry => self.commit_queued(tx).await,
            Action::Cancel | Action::Pause => self.commit(tx).await,
        }
    }
}

/// Returns the number of jobs that were changed.
async fn apply(
    tx: &mut Transaction,
    scope: Scope,
    (state, request): (JobState, Option<Request>),
    change: Change,
    stamp: Stamp,
) -> Result<u64, StoreError> {
    let (of_job, of_experiment) = statements(change);
    let statement = match scope {
        Scope::Job(id) => sql(of_job).bind(id),
        Scope::Experiment(id) => sql(of_experiment).bind(id),
    };
    let new_request = if let Change::SetRequest(request) = change { request } else { None };
    let statement = statement.bind(stamp.version).bind(stamp.now).bind(state).bind(request).bind(new_request);
    match scope {
        Scope::Job(_) => statement.execute_one(tx).await.map(|()| 1),
        // Jobs in other states are unchanged.
        Scope::Experiment(_) => statement.execute(tx).await,
    }
}

fn statements(change: Change) -> (&'static str, &'static str) {
    match change {
        Change::SetRequest(_) => change!("requested = $6"),
        Change::Pause => change!("state = 'paused'"),
        Change::Cancel => change!("state = 'cancelled', requested = NULL, end_reason = 'cancelled', ended_ms = $3"),
        Change::Resume => change!(
            "state = 'queued', not_before_ms = CASE WHEN not_before_ms > $3 THEN not_before_ms ELSE $3 END"
        ),
        Change::Requeue => change!(
            "state = 'queued', requested = NULL, end_reason = NULL, error = NULL, started_ms = NULL, ended_ms = NULL,
             not_before_ms = $3, attempts_before = attempt, step = coalesce(
                 (SELECT max(a.step) FROM artifacts a WHERE a.job_id = jobs.id AND a.kind = 'checkpoint'), 0)",
            " AND NOT ",
            chosen_without!("jobs")
        ),
    }
}

/// The state of a job and its pending request, both locked until the transaction ends.
async fn locked(tx: &mut Transaction, job: JobId) -> Result<(JobState, Option<Request>), StoreError> {
    let row: Option<(JobState, Option<Request>)> =
        locked!("SELECT state, requested FROM jobs WHERE id = $1").bind(job).fetch_optional(tx).await?;
    let (state, request) = row.ok_or(NotFound::Job(job))?;
    Ok((state, request))
}

/// Locks every job of the experiment until the transaction ends, so that none changes its state meanwhile.
pub(in crate::store) async fn lock(tx: &mut Transaction, id: ExperimentId) -> Result<(), StoreError> {
    let found: Option<(ExperimentId,)> =
        sql("SELECT id FROM experiments WHERE id = $1").bind(id).fetch_optional(tx).await?;
    found.ok_or(NotFound::Experiment(id))?;
    locked!("SELECT id FROM jobs WHERE experiment_id = $1 ORDER BY id").bind(id).execute(tx).await?;
    Ok(())
}
