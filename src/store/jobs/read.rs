//! Table `jobs` as people see it.

use optlab_domain::{ExperimentId, JobId};
use optlab_spec::JobSpec;

use super::columns::select_jobs;
use super::listing::{Placed, find_places, oldest_first, ordered};
use crate::store::database::{Transaction, sql};
use crate::store::version::settled_version;
use crate::store::{
    Cell, Job, JobCursor, JobFilter, JobOrder, NotFound, Page, PastRun, Place, Store, StoreError,
};

/// Selects the jobs `j` of an experiment that have had an attempt. The condition lists all states so that the index
/// `jobs_of_experiment` can skip the other jobs, of which there may be thousands.
macro_rules! begun {
    () => {
        "j.state IN ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled') AND j.attempt > 0"
    };
}
pub(in crate::store) use begun;

impl Store {
    /// One job.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn job(&self, id: JobId) -> Result<Job, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let row: Option<Job> =
            sql(select_jobs!("WHERE j.id = $1")).bind(id).fetch_optional(&mut snapshot).await?;
        let job = with_places(snapshot, row.into_iter().collect()).await?.pop();
        Ok(job.ok_or(NotFound::Job(id))?)
    }

    /// The spec of a job; `None` if this version cannot interpret it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn job_spec(&self, id: JobId) -> Result<Option<JobSpec>, StoreError> {
        let spec: Option<(String,)> = sql("SELECT spec FROM jobs WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut self.read().await?)
            .await?;
        let (spec,) = spec.ok_or(NotFound::Job(id))?;
        Ok(JobSpec::from_stored(&serde_json::from_str(&spec)?).ok())
    }

    /// Jobs in an order, after the place `after`. A job that moves between two pages may be in both or in none; each of
    /// the others is in one.
    pub async fn jobs(
        &self,
        filter: JobFilter,
        order: JobOrder,
        after: Option<JobCursor>,
        limit: i64,
    ) -> Result<Page<Job, JobCursor>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let is_by_id = order == JobOrder::default();
        let page = if is_by_id && filter.is_simple() {
            let jobs = oldest_first(&mut snapshot, &filter, after.map(|cursor| cursor.id), limit + 1).await?;
            Page::from_surplus(jobs, limit, |job| JobCursor { place: None, id: job.record.id })
        } else {
            let after = after.map(|JobCursor { place, id }| (place.unwrap_or(Place::of(id)), id));
            let placed = ordered(&mut snapshot, &filter, order, after, limit + 1).await?;
            let place = |placed: &Placed| (!is_by_id).then(|| placed.place());
            let cursor = |placed: &Placed| JobCursor { place: place(placed), id: placed.job.record.id };
            Page::from_surplus(placed, limit, cursor).map(|placed| placed.job)
        };
        Ok(Page { items: with_places(snapshot, page.items).await?, next: page.next })
    }

    /// The jobs of an experiment that count in the comparison and have had an attempt, by arm, in the order of the spec, and seed.
    pub async fn cells(&self, experiment: ExperimentId) -> Result<Vec<Cell>, StoreError> {
        sql(concat!(
            "SELECT j.id AS job, j.arm, j.seed FROM jobs j WHERE j.experiment_id = $1 AND ",
            begun!(),
            " AND j.phase = 'confirm' ORDER BY j.arm_position, j.seed"
        ))
        .bind(experiment)
        .fetch_all(&mut self.read().await?)
        .await
    }

    /// The latest runs of a method, as the column `method` names it, that were complete in one attempt.
    pub async fn past_runs(&self, method: &str, limit: i64) -> Result<Vec<PastRun>, StoreError> {
        let rows: Vec<(JobId, String, f64)> = sql("SELECT j.id, j.spec, a.seconds / j.steps FROM jobs j
             JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt
             WHERE j.state = 'succeeded' AND j.method = $1 AND a.seconds IS NOT NULL AND j.steps > 0
             ORDER BY j.id DESC LIMIT $2")
        .bind(method)
        .bind(limit)
        .fetch_all(&mut self.read().await?)
        .await?;
        let run = |(job, spec, seconds_per_step): (JobId, String, f64)| {
            Ok(PastRun { job, spec: JobSpec::from_stored(&serde_json::from_str(&spec)?)?, seconds_per_step })
        };
        rows.into_iter().map(run).collect()
    }

    /// Jobs that were written to since `version`, in the order of writing, except the
    /// [unsettled](Store::unsettled_jobs).
    pub async fn jobs_since(&self, version: i64, limit: i64) -> Result<Vec<Job>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let settled = settled_version(&mut snapshot).await?;
        // Jobs that one transaction wrote share a version: all of the last one are returned, or none.
        let rows: Vec<Job> = sql(select_jobs!(
            "WHERE j.version > $1 AND j.version <= (
                 SELECT max(version) FROM (
                     SELECT version FROM jobs WHERE version > $1 AND version <= $2 ORDER BY version LIMIT $3
                 ) first
             ) ORDER BY j.version, j.id"
        ))
        .bind(version)
        .bind(settled)
        .bind(limit)
        .fetch_all(&mut snapshot)
        .await?;
        with_places(snapshot, rows).await
    }

    /// The latest jobs that were written while an older transaction is open, which may still write a lower version.
    /// [`Store::jobs_since`] returns them once it has ended. On Postgres, a transaction of any program on the same
    /// server counts.
    pub async fn unsettled_jobs(&self, limit: i64) -> Result<Vec<Job>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let settled = settled_version(&mut snapshot).await?;
        let rows: Vec<Job> = sql(select_jobs!("WHERE j.version > $1 ORDER BY j.version DESC, j.id LIMIT $2"))
            .bind(settled)
            .bind(limit)
            .fetch_all(&mut snapshot)
            .await?;
        with_places(snapshot, rows).await
    }

    /// The present version: every write to a job up to it is visible, and later ones can be requested with it.
    pub async fn version(&self) -> Result<i64, StoreError> {
        settled_version(&mut self.read().await?).await
    }
}

/// Adds the places in the queue, read in the same snapshot as the jobs, and ends the snapshot.
async fn with_places(mut snapshot: Transaction, mut jobs: Vec<Job>) -> Result<Vec<Job>, StoreError> {
    find_places(&mut snapshot, &mut jobs).await?;
    snapshot.rollback().await?;
    Ok(jobs)
}
