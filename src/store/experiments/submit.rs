//! Submission of an experiment and its jobs.

use optlab_domain::ExperimentId;
use optlab_spec::{Arm, ExperimentSpec, JobSpec};

use super::edit::{locked_spec, store_spec};
use crate::store::database::{Connect, Transaction, sql};
use crate::store::tuning::chosen_job;
use crate::store::version::next_version;
use crate::store::{NotFound, Store, StoreError, Submission};

impl Store {
    /// Stores an experiment and queues its jobs, all or nothing; returns its id. With an idempotency key that was
    /// already used for the same body, returns the earlier id and stores nothing, wherever the repetition came from.
    ///
    /// # Errors
    /// [`StoreError::KeyReused`].
    pub async fn submit(&self, submission: Submission<'_>) -> Result<ExperimentId, StoreError> {
        let mut tx = self.begin().await?;
        if let Some((key, body)) = submission.idempotency
            && let Some(earlier) = earlier_submission(&mut tx, key, body).await?
        {
            // It may stand in a file that the next process will not open.
            self.database.check_files()?;
            return Ok(earlier);
        }
        let spec = submission.spec;
        let now = self.now(&mut tx).await?;
        let id = sql("INSERT INTO experiments (name, notes, tags, spec, submitted_text, created_ms, commit_hash, commit_dirty,
                 command_line)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id")
        .bind(spec.name.as_str())
        .bind(spec.notes.as_str())
        .bind(serde_json::to_string(&spec.tags)?)
        .bind(serde_json::to_string(spec)?)
        .bind(submission.text)
        .bind(now)
        .bind(submission.provenance.commit_hash.as_deref())
        .bind(submission.provenance.commit_dirty.map(i64::from))
        .bind(submission.provenance.command_line.as_deref())
        .fetch_value(&mut tx)
        .await?;
        if let Some((key, body)) = submission.idempotency
            && !is_first_submission(&mut tx, key, body, id).await?
        {
            // A concurrent submission with the same key was faster.
            tx.rollback().await?;
            let earlier = earlier_submission(&mut self.read().await?, key, body).await?;
            return earlier.ok_or(StoreError::Busy);
        }
        let version = next_version(&mut tx).await?;
        for job in spec.jobs() {
            insert_job(&mut tx, id, spec, &job, version, now).await?;
        }
        for arm in &spec.arms {
            open_tuning(&mut tx, id, arm).await?;
        }
        self.commit_queued(tx).await?;
        Ok(id)
    }

    /// The text that was submitted for an experiment, byte for byte; `None` if it was not stored.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn submitted_text(&self, id: ExperimentId) -> Result<Option<String>, StoreError> {
        let row: Option<(Option<String>,)> = sql("SELECT submitted_text FROM experiments WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut self.read().await?)
            .await?;
        Ok(row.ok_or(NotFound::Experiment(id))?.0)
    }

    /// Adds jobs of new seeds to every arm, and the seeds to the spec. Seeds that are already in the spec are ignored. A
    /// tuned arm gets its jobs once its choice is frozen.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn add_seeds(&self, id: ExperimentId, seeds: &[u64]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let mut spec = locked_spec(&mut tx, id).await?;
        let mut new = Vec::new();
        for &seed in seeds {
            if !spec.seeds.contains(&seed) {
                spec.seeds.push(seed);
                new.push(seed);
            }
        }
        store_spec(&mut tx, id, &spec).await?;
        let now = self.now(&mut tx).await?;
        let version = next_version(&mut tx).await?;
        for arm in &spec.arms {
            let Some(job) = confirming(&mut tx, id, &spec, arm).await? else { continue };
            for &seed in &new {
                insert_job(&mut tx, id, &spec, &job.confirm(seed), version, now).await?;
            }
        }
        self.commit_queued(tx).await
    }
}

impl Store {
    /// Adds the arms that the spec `to` has and `from` lacks, with a job for each seed, or with their trials. `text` becomes the text of the
    /// submission.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] if the spec of the experiment is no longer `from`.
    pub async fn add_arms(
        &self,
        id: ExperimentId,
        from: &ExperimentSpec,
        to: &ExperimentSpec,
        text: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        if locked_spec(&mut tx, id).await? != *from {
            tx.rollback().await?;
            return Err(StoreError::Conflict(format!("experiment {id} was changed meanwhile; try again")));
        }
        store_spec(&mut tx, id, to).await?;
        sql("UPDATE experiments SET submitted_text = $2 WHERE id = $1")
            .bind(id)
            .bind(text)
            .execute_one(&mut tx)
            .await?;
        let now = self.now(&mut tx).await?;
        let version = next_version(&mut tx).await?;
        let is_new = |name: &str| from.arms.iter().all(|arm| arm.name != name);
        for job in to.jobs().iter().filter(|job| is_new(&job.arm)) {
            insert_job(&mut tx, id, to, job, version, now).await?;
        }
        for arm in to.arms.iter().filter(|arm| is_new(&arm.name)) {
            open_tuning(&mut tx, id, arm).await?;
        }
        self.commit_queued(tx).await
    }
}

/// The experiment that the key has created before, if any.
async fn earlier_submission(
    on: &mut impl Connect,
    key: &str,
    body_sha256: &str,
) -> Result<Option<ExperimentId>, StoreError> {
    let row: Option<(String, ExperimentId)> =
        sql("SELECT body_sha256, experiment_id FROM submissions WHERE idempotency_key = $1")
            .bind(key)
            .fetch_optional(on)
            .await?;
    match row {
        Some((earlier, _)) if earlier != body_sha256 => Err(StoreError::KeyReused),
        Some((_, id)) => Ok(Some(id)),
        None => Ok(None),
    }
}

/// Stores the use of the key; false if another transaction has done so, for which this waits.
async fn is_first_submission(
    tx: &mut Transaction,
    key: &str,
    body_sha256: &str,
    experiment: ExperimentId,
) -> Result<bool, StoreError> {
    let inserted =
        sql("INSERT INTO submissions (idempotency_key, body_sha256, experiment_id) VALUES ($1, $2, $3)
         ON CONFLICT (idempotency_key) DO NOTHING")
        .bind(key)
        .bind(body_sha256)
        .bind(experiment)
        .execute(tx)
        .await?;
    Ok(inserted == 1)
}

/// Prepares the choice of a tuned arm.
async fn open_tuning(tx: &mut Transaction, experiment: ExperimentId, arm: &Arm) -> Result<(), StoreError> {
    if arm.tune.is_some() {
        let open = sql("INSERT INTO tunings (experiment_id, arm) VALUES ($1, $2)");
        open.bind(experiment).bind(arm.name.as_str()).execute_one(tx).await?;
    }
    Ok(())
}

/// A job of the arm that counts in the comparison, to be repeated with other seeds; `None` as long as the choice of a
/// tuned arm is open.
async fn confirming(
    tx: &mut Transaction,
    experiment: ExperimentId,
    spec: &ExperimentSpec,
    arm: &Arm,
) -> Result<Option<JobSpec>, StoreError> {
    if arm.tune.is_none() {
        return Ok(Some(spec.job(arm, 0)));
    }
    chosen_job(tx, experiment, &arm.name).await
}

pub(super) async fn insert_job(
    tx: &mut Transaction,
    experiment_id: ExperimentId,
    spec: &ExperimentSpec,
    job: &JobSpec,
    version: i64,
    now: i64,
) -> Result<(), StoreError> {
    let position = spec.arms.iter().position(|arm| arm.name == job.arm);
    sql(
        "INSERT INTO jobs (experiment_id, arm, arm_position, method, seed, spec, device_wanted, priority, max_attempts,
                           time_limit_seconds, state, steps, version, created_ms, phase, trial)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'queued', $11, $12, $13, $14, $15)",
    )
    .bind(experiment_id)
    .bind(job.arm.as_str())
    .bind(position.map(|position| position as i64))
    .bind(job.method.to_string())
    .bind(job.seed as i64)
    .bind(serde_json::to_string(job)?)
    .bind(job.resources.device)
    .bind(spec.priority)
    .bind(spec.max_attempts as i64)
    .bind(spec.time_limit_seconds as i64)
    .bind(job.train.total_steps() as i64)
    .bind(version)
    .bind(now)
    .bind(job.phase())
    .bind(job.trial.map(|trial| trial as i64))
    .execute(tx)
    .await?;
    Ok(())
}
