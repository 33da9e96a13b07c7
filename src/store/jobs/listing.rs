//! Lists of jobs: pages in any order, and the queue positions of waiting jobs.

use std::cmp::Reverse;
use std::collections::HashMap;

use optlab_domain::{JobId, JobState};
use sqlx_macros::FromRow;

use super::columns::select_jobs;
use super::selection::{from_matching, push_rank, push_text};
use crate::store::database::{Composed, Connect, Statement, Transaction, Value, sql};
use crate::store::{Job, JobFilter, JobOrder, LAST_PLACE, Place, StoreError};

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
    number: Option<f64>,
    text: Option<String>,
}

impl Placed {
    pub(super) fn place(&self) -> Place {
        match (self.number, &self.text) {
            (Some(number), _) => Place::Number(number),
            (None, Some(text)) => Place::Text(text.clone()),
            (None, None) => Place::Absent,
        }
    }
}

/// The order of places: numbers before texts, and jobs without the field last. Numbers are negated in the other
/// direction.
const ASCENDING: &str =
    "CASE WHEN k.number IS NOT NULL THEN 0 WHEN k.text IS NOT NULL THEN 1 ELSE 2 END, k.number, k.text, k.id";
const DESCENDING: &str = "CASE WHEN k.number IS NOT NULL THEN 0 WHEN k.text IS NOT NULL THEN 1 ELSE 2 END, k.number, k.text DESC, k.id";

/// The jobs after the place `after`, in any order. Reads all jobs of the list.
pub(super) async fn ordered(
    snapshot: &mut Transaction,
    filter: &JobFilter,
    order: JobOrder,
    after: Option<(Place, JobId)>,
    most: i64,
) -> Result<Vec<Placed>, StoreError> {
    let places = if order.descending { DESCENDING } else { ASCENDING };
    let mut statement = Composed::default();
    statement.push(select_jobs!(
        with "k.number, k.text, ";
        "JOIN (SELECT k.id, k.number, k.text FROM (SELECT k.id, "
    ));
    statement.push(if order.descending { "-(" } else { "(" });
    push_rank(&mut statement, order.by);
    statement.push(") AS number, substr(");
    push_text(&mut statement, order.by);
    // A cursor contains the text.
    statement.push(", 1, 100) AS text");
    from_matching(&mut statement, filter);
    // Without OFFSET, Postgres reads the spec again for each use of the number and of the text.
    statement.push_for(") k", " OFFSET 0) k");
    if let Some((place, id)) = after {
        statement.push(" WHERE ");
        push_after(&mut statement, &place, id, order.descending);
    }
    statement.push(" ORDER BY ").push(places).push(" LIMIT ").bind(most);
    statement.push(") k ON k.id = j.id ORDER BY ").push(places);
    Statement::from(statement).fetch_all(snapshot).await
}

/// Adds that a job comes after a place.
fn push_after(statement: &mut Composed, place: &Place, id: JobId, descending: bool) {
    let is_after = |statement: &mut Composed, column: &'static str, sign: &'static str, value: Value| {
        let value = statement.parameter(value);
        statement.push(column).push(sign).push_parameter(value);
        statement
            .push(" OR (")
            .push(column)
            .push(" = ")
            .push_parameter(value)
            .push(" AND k.id > ")
            .bind(id)
            .push(")");
    };
    match place {
        Place::Number(number) => {
            is_after(statement, "k.number", " > ", (*number).into());
            statement.push(" OR k.number IS NULL");
        }
        Place::Text(text) => {
            statement.push("k.number IS NULL AND (");
            is_after(statement, "k.text", if descending { " < " } else { " > " }, text.as_str().into());
            statement.push(" OR k.text IS NULL)");
        }
        Place::Absent => {
            statement.push("k.number IS NULL AND k.text IS NULL AND k.id > ").bind(id);
        }
    }
}

/// Sets the queue positions of waiting jobs, up to [`LAST_PLACE`].
pub(super) async fn find_places(on: &mut impl Connect, jobs: &mut [Job]) -> Result<(), StoreError> {
    let mut waiting: Vec<&mut Job> = jobs
        .iter_mut()
        .filter(|job| job.record.state == JobState::Queued && job.record.waits_at.is_none())
        .collect();
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
             SELECT id FROM (SELECT id FROM jobs WHERE state = 'queued' AND waits_at IS NULL AND priority > $1 LIMIT $3) sooner
             UNION ALL
             SELECT id FROM (SELECT id FROM jobs WHERE state = 'queued' AND waits_at IS NULL AND priority = $1 AND id <= $2 LIMIT $3) older
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
         FROM (SELECT id, priority FROM jobs WHERE state = 'queued' AND waits_at IS NULL ORDER BY priority DESC, id LIMIT $1) front")
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
