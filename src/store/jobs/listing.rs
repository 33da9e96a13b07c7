//! Lists of jobs: pages in any order, and the queue positions of waiting jobs.

use std::cmp::Reverse;
use std::collections::HashMap;

use optlab_domain::{JobId, JobState};
use sqlx_macros::FromRow;

use super::columns::select_jobs;
use crate::store::database::{Connect, Statement, Transaction, sql};
use crate::store::{Job, JobCursor, JobFilter, JobOrder, LAST_PLACE, StoreError};

/// A page of a list ordered by id. `$filter` restricts the experiment and the state. With `k.id + 0` as `$id`, the
/// database uses the index of the filter rather than that of ids. $1 to $3: the filter; $4: the id before the page; $5:
/// the maximum number.
macro_rules! first_by_id {
    ($filter:literal, $id:literal) => {
        select_jobs!(
            "WHERE j.id IN (
                 SELECT k.id FROM jobs k WHERE ",
            $filter,
            " AND ($2 IS NULL OR k.arm = $2) AND ",
            $id,
            " > $4 ORDER BY ",
            $id,
            " LIMIT $5
             ) ORDER BY j.id"
        )
    };
}

/// The jobs of a list, each with its place in it: `place`, then id. $1 to $3: the filter; $4: 1 or -1; $5: the key.
macro_rules! places {
    () => {
        "SELECT k.id, coalesce($4 * CASE $5
             WHEN 'id' THEN k.id
             WHEN 'arm' THEN k.arm_position
             WHEN 'seed' THEN k.seed
             WHEN 'state' THEN CASE k.state WHEN 'running' THEN 0 WHEN 'queued' THEN 1 WHEN 'paused' THEN 2
                                            WHEN 'succeeded' THEN 3 WHEN 'failed' THEN 4 WHEN 'cancelled' THEN 5 END
             WHEN 'progress' THEN 1.0 * k.step / nullif(k.steps, 0)
             WHEN 'attempt' THEN k.attempt
             WHEN 'priority' THEN k.priority
             WHEN 'created_at' THEN k.created_ms
             WHEN 'started_at' THEN k.started_ms
             WHEN 'ended_at' THEN k.ended_ms
             WHEN 'test_error' THEN figures.test_error
             WHEN 'energy' THEN figures.energy
             WHEN 'seconds' THEN CASE WHEN k.state = 'succeeded' THEN last.seconds END
         END, 1e300) AS place
         FROM jobs k
         LEFT JOIN results figures ON figures.job_id = k.id
         LEFT JOIN attempts last ON last.job_id = k.id AND last.number = k.attempt
         WHERE ($1 IS NULL OR k.experiment_id = $1) AND ($2 IS NULL OR k.arm = $2) AND ($3 IS NULL OR k.state = $3)"
    };
}

/// The jobs after the id `after`, which is the default order of pages and commands. Reads only the jobs of the page.
pub(super) async fn oldest_first(
    snapshot: &mut Transaction,
    filter: &JobFilter,
    after: Option<JobId>,
    most: i64,
) -> Result<Vec<Job>, StoreError> {
    let statement = match (filter.experiment, filter.state) {
        (None, None) => first_by_id!("$1 IS NULL AND $3 IS NULL", "k.id"),
        (None, Some(_)) => first_by_id!("$1 IS NULL AND k.state = $3", "k.id + 0"),
        (Some(_), None) => first_by_id!("k.experiment_id = $1 AND $3 IS NULL", "k.id + 0"),
        (Some(_), Some(_)) => first_by_id!("k.experiment_id = $1 AND k.state = $3", "k.id + 0"),
    };
    sql(statement).filtered(filter).bind(after.map_or(0, i64::from)).bind(most).fetch_all(snapshot).await
}

/// A job with its place in a list.
#[derive(FromRow)]
pub(super) struct Placed {
    #[sqlx(flatten)]
    pub(super) job: Job,
    pub(super) place: f64,
}

/// The jobs after the place `after`, in any order. Reads all jobs of the list.
pub(super) async fn ordered(
    snapshot: &mut Transaction,
    filter: &JobFilter,
    order: JobOrder,
    after: Option<JobCursor>,
    most: i64,
) -> Result<Vec<Placed>, StoreError> {
    sql(select_jobs!(
        with "k.place, ";
        "JOIN (",
        places!(),
        ") k ON k.id = j.id WHERE k.place > $6 OR (k.place = $6 AND k.id > $7) ORDER BY k.place, k.id LIMIT $8"
    ))
    .filtered(filter)
    .bind(if order.descending { -1.0 } else { 1.0 })
    .bind(<&str>::from(order.by))
    .bind(after.and_then(|cursor| cursor.place).unwrap_or(f64::NEG_INFINITY))
    .bind(after.map_or(0, |cursor| i64::from(cursor.id)))
    .bind(most)
    .fetch_all(snapshot)
    .await
}

/// Sets the queue positions of waiting jobs, up to [`LAST_PLACE`].
pub(super) async fn find_places(on: &mut impl Connect, jobs: &mut [Job]) -> Result<(), StoreError> {
    let mut waiting: Vec<&mut Job> =
        jobs.iter_mut().filter(|job| job.record.state == JobState::Queued).collect();
    match &mut waiting[..] {
        [] => {}
        [job] => job.queue_position = place(on, job).await?,
        waiting => {
            let front = front(on).await?;
            waiting.iter_mut().for_each(|job| job.queue_position = front.get(&job.record.id).copied());
        }
    }
    Ok(())
}

/// The queue position of one job.
async fn place(on: &mut impl Connect, job: &Job) -> Result<Option<i64>, StoreError> {
    let place = sql("SELECT count(*) FROM (
             SELECT id FROM (SELECT id FROM jobs WHERE state = 'queued' AND priority > $1 LIMIT $3) sooner
             UNION ALL
             SELECT id FROM (SELECT id FROM jobs WHERE state = 'queued' AND priority = $1 AND id <= $2 LIMIT $3) older
         ) front")
    .bind(job.record.priority)
    .bind(job.record.id)
    .bind(LAST_PLACE + 1)
    .fetch_number(on)
    .await?;
    Ok(Some(place).filter(|place| *place <= LAST_PLACE))
}

/// The queue positions of the first [`LAST_PLACE`] jobs, by id.
async fn front(on: &mut impl Connect) -> Result<HashMap<JobId, i64>, StoreError> {
    // One text, because reading a thousand rows takes ten times as long.
    let (text,): (Option<String>,) = sql("SELECT string_agg(priority || ' ' || id, ',')
         FROM (SELECT id, priority FROM jobs WHERE state = 'queued' ORDER BY priority DESC, id LIMIT $1) front")
    .bind(LAST_PLACE)
    .fetch_one(on)
    .await?;
    let text = text.unwrap_or_default();
    let pairs = text.split(',').filter_map(|pair| pair.split_once(' '));
    let mut front: Vec<(Reverse<i64>, JobId)> = pairs
        .filter_map(|(priority, id)| Some((Reverse(priority.parse().ok()?), id.parse().ok()?)))
        .collect();
    // The order within `string_agg` is not guaranteed.
    front.sort_unstable();
    Ok(front.into_iter().map(|(_, id)| id).zip(1..).collect())
}

impl Statement {
    /// Binds the parameters $1 to $3 of a list.
    fn filtered(self, filter: &JobFilter) -> Self {
        self.bind(filter.experiment).bind(filter.arm.as_deref()).bind(filter.state)
    }
}

#[cfg(test)]
mod tests {
    use optlab_domain::JobState;
    use strum::VariantArray;

    #[test]
    fn the_order_of_states_in_sql_is_that_of_the_domain() {
        for (place, state) in JobState::VARIANTS.iter().enumerate() {
            assert!(places!().contains(&format!("WHEN '{state}' THEN {place}")), "{state}");
        }
    }
}
